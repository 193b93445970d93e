// Piecewise polynomials of degree 7 of one variable, k outputs: value, slope and moments.
//
// table [cells, 8, k] holds the coefficients in t in [-1/2, 1/2), the place within a cell of width
// `step`; cell i begins at (first + i) step. Positions are computed in double: with a step that is
// a power of two they are exact. A period of 0 means none. Values outside the cells, and NaN, are
// read in the first or last cell: the caller keeps them away, and memory is safe in any case.
#include <cmath>
#include <cstdint>
#include <cstring>

namespace {

constexpr int N = 8;

struct Grid {
    double step, period;
    int64_t first, cells;
};

struct Place {
    double rate, inverse, period;
    int64_t first, last;
    explicit Place(const Grid& g)
        : rate(1 / g.step), inverse(g.period > 0 ? 1 / g.period : 0), period(g.period),
          first(g.first), last(g.cells - 1) {}
    inline int64_t find(double phi, double& t) const {
        phi -= std::nearbyint(phi * inverse) * period;
        const double u = phi * rate, below = std::floor(u);
        t = u - below - 0.5;
        const int64_t i = static_cast<int64_t>(below) - first;
        return i < 0 ? 0 : (i > last ? last : i);
    }
};

// K outputs side by side in one register.
template <class T, int K>
using Lane __attribute__((vector_size(sizeof(T) * K))) = T;

template <class T, int K>
inline Lane<T, K> load(const T* from) {
    Lane<T, K> lane;
    std::memcpy(&lane, from, sizeof lane);
    return lane;
}

// W is the number of outputs where it is known beforehand, or 0; it is a multiple of K.
template <class T, int K, int W>
void evaluate(const T* phi, int64_t count, const T* table, Grid grid, int k, T* out, int threads) {
    const Place place(grid);
    const int width = W ? W : k;
#pragma omp parallel for num_threads(threads) schedule(static)
    for (int64_t e = 0; e < count; ++e) {
        double exact;
        const T* row = table + place.find(phi[e], exact) * N * width;
        const T t = static_cast<T>(exact);
        for (int c = 0; c < width; c += K) {
            Lane<T, K> value = load<T, K>(row + (N - 1) * width + c);
            for (int j = N - 2; j >= 0; --j) value = value * t + load<T, K>(row + j * width + c);
            std::memcpy(out + e * width + c, &value, sizeof value);
        }
    }
}

// slope[e] = sum_c grad[e, c] p_c'(phi_e); moments[thread, cell, j, c] += grad[e, c] t_e^j
template <class T, int K, int W>
void differentiate(const T* phi, int64_t count, const T* table, Grid grid, int k, const T* grad,
                   T* slope, double* moments, int threads) {
    const Place place(grid);
    const int width = W ? W : k;
    const int64_t size = grid.cells * N * width;
#pragma omp parallel for num_threads(threads) schedule(static, 1)
    for (int part = 0; part < threads; ++part) {
        double* own = moments ? moments + part * size : nullptr;
        const int64_t end = count * (part + 1) / threads;
        for (int64_t e = count * part / threads; e < end; ++e) {
            double exact;
            const int64_t cell = place.find(phi[e], exact) * N * width;
            const T t = static_cast<T>(exact);
            T total = 0;
            for (int c = 0; c < width; c += K) {
                const Lane<T, K> g = load<T, K>(grad + e * width + c);
                if (slope) {
                    const T* row = table + cell + c;
                    Lane<T, K> value = load<T, K>(row + (N - 1) * width) * T(N - 1);
                    for (int j = N - 2; j >= 1; --j)
                        value = value * t + load<T, K>(row + j * width) * T(j);
                    for (int i = 0; i < K; ++i) total += value[i] * g[i];
                }
                if (own) {
                    Lane<double, K> term = __builtin_convertvector(g, Lane<double, K>);
                    for (int j = 0; j < N; ++j, term *= exact) {
                        double* at = own + cell + j * width + c;
                        const Lane<double, K> sum = load<double, K>(at) + term;
                        std::memcpy(at, &sum, sizeof sum);
                    }
                }
            }
            if (slope) slope[e] = total * static_cast<T>(place.rate);
        }
    }
}

}  // namespace

#define INTERFACE(T, NAME)                                                                        \
    extern "C" void evaluate_##NAME(const T* phi, int64_t count, const T* table, double step,     \
                                    double period, int64_t first, int64_t cells, int k, T* out,   \
                                    int threads) {                                                \
        const auto run = k == 2   ? evaluate<T, 2, 2>                                             \
                         : k == 1 ? evaluate<T, 1, 1>                                             \
                                  : evaluate<T, 1, 0>;                                            \
        run(phi, count, table, Grid{step, period, first, cells}, k, out, threads);                \
    }                                                                                             \
    extern "C" void differentiate_##NAME(                                                         \
        const T* phi, int64_t count, const T* table, double step, double period, int64_t first,   \
        int64_t cells, int k, const T* grad, T* slope, double* moments, int threads) {            \
        const auto run = k == 2   ? differentiate<T, 2, 2>                                        \
                         : k == 1 ? differentiate<T, 1, 1>                                        \
                                  : differentiate<T, 1, 0>;                                       \
        const Grid grid{step, period, first, cells};                                              \
        run(phi, count, table, grid, k, grad, slope, moments, threads);                           \
    }

INTERFACE(float, f32)
INTERFACE(double, f64)
