// Trigonometric sums f_o(x) = sum_t a_to cos(n_t . p) + b_to sin(n_t . p), phases p_j = g_j . x.
//
// Rows are taken a block at a time. A table of powers exp(i n p_j) is made once for each generator;
// a short program then goes through the terms: SET and MUL make a prefix, the product of all
// factors but the last; ADD adds `count` terms prefix * table[index ..], ONE those without prefix.
// Nothing but libc is called: scratch memory, 64-byte aligned, comes from the caller.
#include "lanes.hpp"

namespace {

using namespace lanes;

enum Code { SET, MUL, ADD, ONE };

struct Instruction {
    int32_t code, index, count;
};

// turns [m, d, 2] are the generators in quarter turns, high and low part; the table has the powers
// lowest[j] <= 0 .. highest[j] >= 0 of each.
struct Plan {
    int64_t m, d;
    const double* turns;
    const int32_t *lowest, *highest;
    const Instruction* code;
    int64_t size;
    int64_t width() const {
        int64_t total = 0;
        for (int64_t j = 0; j < m; ++j) total += highest[j] - lowest[j] + 1;
        return total;
    }
};

// Powers by halves: the error of the n-th grows like log n, and no long chain has to be waited for.
void powers(const Complex& z, int lowest, int highest, Complex* one) {
    for (int u = 0; u < U; ++u) one->re.v[u] = all(1.0), one->im.v[u] = V{};
    const int most = highest > -lowest ? highest : -lowest;
    if (most == 0) return;
    // where only negative powers are kept there is no room for positive ones: the caller avoids it
    one[1] = z;
    for (int n = 2; n <= highest; ++n) multiply(one[n / 2], one[n - n / 2], one[n]);
    for (int n = 1; n <= -lowest; ++n) {
        one[-n].re = one[n].re;
        for (int u = 0; u < U; ++u) one[-n].im.v[u] = -one[n].im.v[u];
    }
}

template <class T>
void tabulate(const Plan& plan, const T* x, int64_t rows, Complex* table) {
    for (int64_t j = 0; j < plan.m; ++j) {
        Phase phase = nothing();
        int read = 0;
        for (int64_t f = 0; f < plan.d; ++f) {
            const double* turn = plan.turns + 2 * (j * plan.d + f);
            if (turn[0] == 0) continue;
            Block column;
            fetch(x + f, plan.d, rows, column);
            add(phase, column, turn[0], turn[1]);
            ++read;
        }
        if (read > 1) reduce(phase);
        powers(turned(phase), plan.lowest[j], plan.highest[j], table - plan.lowest[j]);
        table += plan.highest[j] - plan.lowest[j] + 1;
    }
}

// Goes through the terms; use(t, z) takes each.
template <class F>
inline void terms(const Plan& plan, const Complex* table, F&& use) {
    Complex prefix = *table, term;
    int64_t t = 0;
    for (int64_t k = 0; k < plan.size; ++k) {
        const Instruction in = plan.code[k];
        const Complex* at = table + in.index;
        switch (in.code) {
            case SET: prefix = *at; break;
            case MUL: multiply(prefix, *at, prefix); break;
            case ONE:
                for (int32_t i = 0; i < in.count; ++i) use(t++, at[i]);
                break;
            default:
                for (int32_t i = 0; i < in.count; ++i) {
                    multiply(prefix, at[i], term);
                    use(t++, term);
                }
        }
    }
}

// O outputs of `width`, weights [terms, width, 2].
template <class T, int O>
void sum(const Plan& plan, const Complex* table, const double* weights, int64_t width, T* out,
         int64_t rows) {
    V re[O][U], im[O][U];
    for (int o = 0; o < O; ++o)
        for (int u = 0; u < U; ++u) re[o][u] = im[o][u] = V{};
    terms(plan, table, [&](int64_t t, const Complex& z) {
        const double* w = weights + 2 * t * width;
        for (int o = 0; o < O; ++o)
            for (int u = 0; u < U; ++u) {
                re[o][u] += w[2 * o] * z.re.v[u];
                im[o][u] += w[2 * o + 1] * z.im.v[u];
            }
    });
    for (int o = 0; o < O; ++o) {
        Block total;
        for (int u = 0; u < U; ++u) total.v[u] = re[o][u] + im[o][u];
        store(total, width, rows, out + o);
    }
}

template <class T>
void evaluate(const Plan& plan, const T* x, int64_t n, const double* weights, int64_t width,
              T* out, Complex* scratch, int threads) {
    const int64_t blocks = (n + B - 1) / B;
#pragma omp parallel for num_threads(threads) schedule(static, 1)
    for (int part = 0; part < threads; ++part) {
        Complex* table = scratch + part * plan.width();
        const int64_t end = blocks * (part + 1) / threads;
        for (int64_t b = blocks * part / threads; b < end; ++b) {
            const int64_t rows = n - b * B < B ? n - b * B : B;
            T* to = out + b * B * width;
            tabulate(plan, x + b * B * plan.d, rows, table);
            int64_t o = 0;
            for (; o + 2 <= width; o += 2)
                sum<T, 2>(plan, table, weights + 2 * o, width, to + o, rows);
            if (o < width) sum<T, 1>(plan, table, weights + 2 * o, width, to + o, rows);
        }
    }
}

// sums [threads, terms, width, 2, W] += sum over blocks of grad[row, o] (cos, sin)(n_t . p)
template <class T>
void moments(const Plan& plan, const T* x, int64_t n, const T* grad, int64_t width, int64_t count,
             V* sums, Complex* scratch, int threads) {
    const int64_t blocks = (n + B - 1) / B;
#pragma omp parallel for num_threads(threads) schedule(static, 1)
    for (int part = 0; part < threads; ++part) {
        Complex* table = scratch + part * plan.width();
        V* own = sums + part * 2 * count * width;
        const int64_t end = blocks * (part + 1) / threads;
        for (int64_t b = blocks * part / threads; b < end; ++b) {
            const int64_t rows = n - b * B < B ? n - b * B : B;
            tabulate(plan, x + b * B * plan.d, rows, table);
            for (int64_t o = 0; o < width; ++o) {
                Block g;
                fetch(grad + b * B * width + o, width, rows, g);
                terms(plan, table, [&](int64_t t, const Complex& z) {
                    V re{}, im{};
                    for (int u = 0; u < U; ++u) re += g.v[u] * z.re.v[u], im += g.v[u] * z.im.v[u];
                    own[2 * (t * width + o)] += re;
                    own[2 * (t * width + o) + 1] += im;
                });
            }
        }
    }
}

}  // namespace

extern "C" int lanes_of_a_block() { return B; }
extern "C" int lanes_of_a_register() { return W; }

#define PLAN                                                                                  \
    int64_t m, int64_t d, const double *turns, const int32_t *lowest, const int32_t *highest, \
        const void *code, int64_t size
#define MADE \
    Plan { m, d, turns, lowest, highest, static_cast<const Instruction*>(code), size }
#define INTERFACE(T, NAME)                                                                       \
    extern "C" void evaluate_##NAME(PLAN, const T* x, int64_t n, const double* weights,          \
                                    int64_t width, T* out, void* scratch, int threads) {         \
        evaluate(MADE, x, n, weights, width, out, static_cast<Complex*>(scratch), threads);      \
    }                                                                                            \
    extern "C" void moments_##NAME(PLAN, const T* x, int64_t n, const T* grad, int64_t width,    \
                                   int64_t count, void* sums, void* scratch, int threads) {      \
        moments(MADE, x, n, grad, width, count, static_cast<V*>(sums),                           \
                static_cast<Complex*>(scratch), threads);                                        \
    }

INTERFACE(float, f32)
INTERFACE(double, f64)
