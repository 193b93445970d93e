// Chains of 3 x 3 rotations: one-wire circuits whose parameters differ from row to row.
//
// Angle a is the sum of rate * column over its entries. A column is an array with a stride, one
// number a row, or one number shared by all rows. Cosine and sine are taken once an angle; the steps
// then turn the Bloch vector, which starts at (0, 0, 1). Backward the chain is run to its end and
// undone step by step, since its inverse is its transpose: no state is kept.
// Nothing but libc is called: scratch memory, 64-byte aligned, comes from the caller.
#include "lanes.hpp"

namespace {

using namespace lanes;

struct Entry {
    int64_t column;
    double rate, high, low;  // the rate in radians, and in quarter turns with its missing part
};

struct Step {
    int32_t kind, index;  // about axis 0, 1 or 2 by an angle; 3: by a fixed matrix
};

template <class T>
struct Column {
    T* rows;  // or null: shared
    int64_t stride;
    double shared;
};

struct Chain {
    int64_t angles;
    const int64_t* starts;  // of the entries of each angle
    const Entry* entries;
    int64_t size;
    const Step* steps;
    const double* matrices;     // [.., 3, 3]
    const double* observables;  // [outputs, 4]: of 1, X, Y, Z
    int64_t outputs, columns;
};

using Vector = Block[3];

template <class T>
void turn_angles(const Chain& chain, const Column<T>* columns, int64_t start, int64_t rows,
                 Complex* table) {
    for (int64_t a = 0; a < chain.angles; ++a) {
        Phase phase = nothing();
        for (int64_t e = chain.starts[a]; e < chain.starts[a + 1]; ++e) {
            const Column<T>& column = columns[chain.entries[e].column];
            Block value;
            if (column.rows)
                fetch(column.rows + start * column.stride, column.stride, rows, value);
            else
                for (int u = 0; u < U; ++u) value.v[u] = all(column.shared);
            add(phase, value, chain.entries[e].high, chain.entries[e].low);
        }
        reduce(phase);
        table[a] = turned(phase);
    }
}

// way is 1, or -1 for the inverse
inline void rotate(Vector& r, int axis, const Complex& z, double way) {
    Block &one = r[(axis + 1) % 3], &two = r[(axis + 2) % 3];
    for (int u = 0; u < U; ++u) {
        const V sine = way * z.im.v[u], first = one.v[u];
        one.v[u] = z.re.v[u] * first - sine * two.v[u];
        two.v[u] = sine * first + z.re.v[u] * two.v[u];
    }
}

inline void multiply(Vector& r, const double* matrix, bool transposed) {
    for (int u = 0; u < U; ++u) {
        const V old[3] = {r[0].v[u], r[1].v[u], r[2].v[u]};
        for (int i = 0; i < 3; ++i) {
            V total{};
            for (int j = 0; j < 3; ++j) total += old[j] * matrix[transposed ? 3 * j + i : 3 * i + j];
            r[i].v[u] = total;
        }
    }
}

void run(const Chain& chain, const Complex* table, Vector& r) {
    for (int u = 0; u < U; ++u) r[0].v[u] = r[1].v[u] = V{}, r[2].v[u] = all(1.0);
    for (int64_t k = 0; k < chain.size; ++k) {
        const Step step = chain.steps[k];
        if (step.kind < 3)
            rotate(r, step.kind, table[step.index], 1.0);
        else
            multiply(r, chain.matrices + 9 * step.index, false);
    }
}

template <class T>
void evaluate(const Chain& chain, const Column<T>* columns, int64_t n, T* out, Complex* scratch,
              int threads) {
    const int64_t blocks = (n + B - 1) / B;
#pragma omp parallel for num_threads(threads) schedule(static, 1)
    for (int part = 0; part < threads; ++part) {
        Complex* table = scratch + part * chain.angles;
        const int64_t end = blocks * (part + 1) / threads;
        for (int64_t b = blocks * part / threads; b < end; ++b) {
            const int64_t rows = n - b * B < B ? n - b * B : B;
            turn_angles(chain, columns, b * B, rows, table);
            Vector r;
            run(chain, table, r);
            for (int64_t o = 0; o < chain.outputs; ++o) {
                const double* w = chain.observables + 4 * o;
                Block value;
                for (int u = 0; u < U; ++u)
                    value.v[u] = w[0] + w[1] * r[0].v[u] + w[2] * r[1].v[u] + w[3] * r[2].v[u];
                store(value, chain.outputs, rows, out + b * B * chain.outputs + o);
            }
        }
    }
}

// Undoes the chain from its end r; adds to `slope` what each angle's derivative is.
void undo(const Chain& chain, const Complex* table, Vector& r, Vector& dual, Block* slope) {
    for (int64_t k = chain.size - 1; k >= 0; --k) {
        const Step step = chain.steps[k];
        if (step.kind == 3) {
            multiply(r, chain.matrices + 9 * step.index, true);
            multiply(dual, chain.matrices + 9 * step.index, true);
            continue;
        }
        const int one = (step.kind + 1) % 3, two = (step.kind + 2) % 3;
        for (int u = 0; u < U; ++u)
            slope[step.index].v[u] +=
                dual[two].v[u] * r[one].v[u] - dual[one].v[u] * r[two].v[u];
        rotate(r, step.kind, table[step.index], -1.0);
        rotate(dual, step.kind, table[step.index], -1.0);
    }
}

// to[c] gets the gradient of a column; those of shared ones are summed in sums [threads, columns, W].
template <class T>
void differentiate(const Chain& chain, const Column<T>* columns, int64_t n, const T* grad,
                   const Column<T>* to, V* sums, Complex* scratch, int threads) {
    const int64_t blocks = (n + B - 1) / B;
#pragma omp parallel for num_threads(threads) schedule(static, 1)
    for (int part = 0; part < threads; ++part) {
        // a Complex an angle, then a Block an angle and one a column
        Complex* table = scratch + part * (2 * chain.angles + chain.columns);
        Block* slope = reinterpret_cast<Block*>(table + chain.angles);
        Block* total = slope + chain.angles;
        const int64_t end = blocks * (part + 1) / threads;
        for (int64_t b = blocks * part / threads; b < end; ++b) {
            const int64_t rows = n - b * B < B ? n - b * B : B;
            turn_angles(chain, columns, b * B, rows, table);
            Vector r, dual;
            run(chain, table, r);
            std::memset(dual, 0, sizeof dual);
            std::memset(slope, 0, sizeof(Block) * (chain.angles + chain.columns));
            for (int64_t o = 0; o < chain.outputs; ++o) {
                Block g;
                fetch(grad + b * B * chain.outputs + o, chain.outputs, rows, g);
                for (int i = 0; i < 3; ++i)
                    for (int u = 0; u < U; ++u)
                        dual[i].v[u] += g.v[u] * chain.observables[4 * o + 1 + i];
            }
            undo(chain, table, r, dual, slope);
            for (int64_t a = 0; a < chain.angles; ++a)
                for (int64_t e = chain.starts[a]; e < chain.starts[a + 1]; ++e)
                    for (int u = 0; u < U; ++u)
                        total[chain.entries[e].column].v[u] +=
                            chain.entries[e].rate * slope[a].v[u];
            for (int64_t c = 0; c < chain.columns; ++c) {
                if (to[c].rows)
                    store(total[c], to[c].stride, rows, to[c].rows + b * B * to[c].stride);
                else
                    for (int u = 0; u < U; ++u) sums[part * chain.columns + c] += total[c].v[u];
            }
        }
    }
}

}  // namespace

extern "C" int lanes_of_a_block() { return B; }
extern "C" int lanes_of_a_register() { return W; }

#define CHAIN                                                                                \
    int64_t angles, const int64_t *starts, const void *entries, int64_t size,                \
        const void *steps, const double *matrices, const double *observables,                \
        int64_t outputs, int64_t columns, const void *values, int64_t n
#define MADE                                                                                 \
    Chain {                                                                                  \
        angles, starts, static_cast<const Entry*>(entries), size,                            \
            static_cast<const Step*>(steps), matrices, observables, outputs, columns         \
    }
#define INTERFACE(T, NAME)                                                                   \
    extern "C" void evaluate_##NAME(CHAIN, T* out, void* scratch, int threads) {             \
        evaluate(MADE, static_cast<const Column<T>*>(values), n, out,                        \
                 static_cast<Complex*>(scratch), threads);                                   \
    }                                                                                        \
    extern "C" void differentiate_##NAME(CHAIN, const T* grad, const void* to, void* sums,   \
                                         void* scratch, int threads) {                       \
        differentiate(MADE, static_cast<const Column<T>*>(values), n, grad,                  \
                      static_cast<const Column<T>*>(to), static_cast<V*>(sums),              \
                      static_cast<Complex*>(scratch), threads);                              \
    }

INTERFACE(float, f32)
INTERFACE(double, f64)
