// Lanes of double: a block of B numbers in U registers, and cosine and sine of turns.
#pragma once
#include <cmath>
#include <cstdint>
#include <cstring>

namespace lanes {

#if defined(__AVX512F__)
constexpr int W = 8;
#elif defined(__AVX__)
constexpr int W = 4;
#else
constexpr int W = 2;
#endif
constexpr int U = 4, B = U * W;

typedef double V __attribute__((vector_size(8 * W)));
typedef int64_t I __attribute__((vector_size(8 * W)));

// B real numbers. Loops over U are short and of fixed length: they unroll into registers.
struct Block {
    V v[U];
    double* lane() { return reinterpret_cast<double*>(v); }
    const double* lane() const { return reinterpret_cast<const double*>(v); }
};

struct Complex {
    Block re, im;
};

// B rows from an array with a stride; those beyond the last are 0.
template <class T>
inline void fetch(const T* from, int64_t stride, int64_t rows, Block& out) {
    double* lane = out.lane();
    if (rows < B)
        for (int i = 0; i < B; ++i) lane[i] = i < rows ? double(from[i * stride]) : 0.0;
    else if (stride == 1)
        for (int i = 0; i < B; ++i) lane[i] = from[i];
    else
        for (int i = 0; i < B; ++i) lane[i] = from[i * stride];
}

template <class T>
inline void store(const Block& block, int64_t stride, int64_t rows, T* to) {
    const double* lane = block.lane();
    if (rows == B && stride == 1)
        for (int i = 0; i < B; ++i) to[i] = T(lane[i]);
    else
        for (int64_t i = 0; i < rows; ++i) to[i * stride] = T(lane[i]);
}

inline V all(double x) { return x - V{}; }

inline V fma(V a, V b, V c) {
    V r;
    for (int i = 0; i < W; ++i) r[i] = __builtin_fma(a[i], b[i], c[i]);
    return r;
}

inline void multiply(const Complex& a, const Complex& b, Complex& out) {
    for (int u = 0; u < U; ++u) {
        const V re = a.re.v[u] * b.re.v[u] - a.im.v[u] * b.im.v[u];
        out.im.v[u] = a.re.v[u] * b.im.v[u] + a.im.v[u] * b.re.v[u];
        out.re.v[u] = re;
    }
}

// A phase in quarter turns: the part within half a quarter turn of 0, and the whole ones mod 4.
struct Phase {
    V part[U];
    I whole[U];
};

inline Phase nothing() {
    Phase phase;
    for (int u = 0; u < U; ++u) phase.part[u] = V{}, phase.whole[u] = I{};
    return phase;
}

constexpr double SHIFT = 6755399441055744.0;    // 1.5 * 2^52: adding it rounds to a whole number
constexpr double REACH = 281474976710656.0;     // 2^48 quarter turns; beyond them NaN

// phase += x (hi + lo), with hi + lo to twice the precision of double: x hi is reduced exactly.
inline void add(Phase& phase, const Block& x, double hi, double lo) {
    for (int u = 0; u < U; ++u) {
        const V product = x.v[u] * hi;
        const V shifted = product + SHIFT, whole = shifted - SHIFT;
        const V part = fma(x.v[u], all(lo), fma(x.v[u], all(hi), -whole));
        const V size = (V)((I)product & 0x7fffffffffffffffLL);
        phase.part[u] += size < REACH ? part : all(__builtin_nan(""));
        phase.whole[u] += (I)shifted;
    }
}

// Parts of several features may add up to more than half a quarter turn.
inline void reduce(Phase& phase) {
    for (int u = 0; u < U; ++u) {
        const V shifted = phase.part[u] + SHIFT;
        phase.part[u] -= shifted - SHIFT;
        phase.whole[u] += (I)shifted;
    }
}

// Taylor series within an eighth turn: the first terms left out are below 1e-16 and 1e-17.
inline Complex turned(const Phase& phase) {
    constexpr double S[] = {-1. / 6, 1. / 120, -1. / 5040, 1. / 362880, -1. / 39916800,
                            1. / 6227020800, -1. / 1307674368000};
    constexpr double C[] = {1. / 24,        -1. / 720,          1. / 40320, -1. / 3628800,
                            1. / 479001600, -1. / 87178291200., 1. / 20922789888000.};
    Complex z;
    for (int u = 0; u < U; ++u) {
        const V y = phase.part[u] * 1.57079632679489661923, q = y * y;
        V s = all(S[6]), c = all(C[6]);
        for (int k = 5; k >= 0; --k) s = s * q + S[k], c = c * q + C[k];
        s = y + y * (q * s);
        c = 1.0 + q * (q * c - 0.5);
        // a quarter turn makes (-s, c) of (c, s), a half turn (-c, -s)
        const I k = phase.whole[u], odd = -(k & 1), top = I{} + INT64_MIN;
        const I sine = (I)s, cosine = (I)c;
        z.re.v[u] = (V)(((cosine & ~odd) | (sine & odd)) ^ (((k << 62) ^ (k << 63)) & top));
        z.im.v[u] = (V)(((sine & ~odd) | (cosine & odd)) ^ ((k << 62) & top));
    }
    return z;
}

}  // namespace lanes
