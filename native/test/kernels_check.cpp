// Holds every kernel of every level that this CPU runs against a reference in double precision and, where the contract
// says so, bit for bit against the scalar level: odd sizes, hostile values, unaligned weights, guards around what is
// written, and results that must not depend on what else a call computes.
//
// Tolerances are bounds, not guesses: u = 2⁻²⁴ is the relative error of one F32 operation, so a chain of n operations
// on terms tᵢ errs by at most n·u·Σ|tᵢ| (to first order), and by 2⁻¹⁴⁹ an operation where it underflows. Inputs are
// allocated to the byte, so that a sanitizer sees a read beyond them.
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <memory>
#include <new>
#include <vector>

#include "check.h"
#include "cpu/kernels.h"
#include "cpu/tile.h"
#include "hostile.h"
#include "sampling/portable_math.h"

namespace nt::cpu {

void init_emulated_amx(Kernels& k);

namespace {

using namespace test;

constexpr double kU = 1.0 / (1 << 24);
constexpr double kTiny = 1.401298464324817e-45;  // 2⁻¹⁴⁹
constexpr double kOverflow = 1.5e38;             // from here on a level may overflow where another does not

struct Scratch {
  Scratch() : p(::operator new(kScratchBytes, std::align_val_t(64))) {}
  ~Scratch() { ::operator delete(p, std::align_val_t(64)); }
  void* p;
};

// What a comparison is about, for the message.
std::string label;

bool same_bits(float a, float b) { return (std::isnan(a) && std::isnan(b)) || std::memcmp(&a, &b, 4) == 0; }

// Whether got is what a level may give where the exact result is `exact` and the finite terms that it is made of add up
// to `magnitude` in absolute value.
bool within(float got, double exact, double magnitude, double tolerance) {
  if (std::isnan(exact)) return std::isnan(got);
  if (std::isinf(exact)) return got == exact || (magnitude >= kOverflow && std::isnan(got));
  return magnitude >= kOverflow || std::abs(got - exact) <= tolerance;
}

// A term's part of a magnitude.
double size(double term) { return std::isfinite(term) ? std::abs(term) : 0; }

void expect(float got, double exact, double magnitude, double tolerance, size_t index) {
  if (within(got, exact, magnitude, tolerance)) return;
  test::fail(__FILE__, __LINE__,
             format("%s [%zu]: %.9g, not %.9g ± %.3g", label.c_str(), index, got, exact, tolerance));
}

void expect_bits(float got, float want, size_t index) {
  if (same_bits(got, want)) return;
  test::fail(__FILE__, __LINE__, format("%s [%zu]: %.9g, not exactly %.9g", label.c_str(), index, got, want));
}

void expect_true(bool ok, const char* what) {
  if (!ok) test::fail(__FILE__, __LINE__, label + ": " + what);
}

const Kernels* levels[8];
int n_levels;
const Kernels* scalar;

// ------------------------------------------------------------------------------------------------------ weights

template <class B, class = void>
struct HasD : std::false_type {};
template <class B>
struct HasD<B, std::void_t<decltype(B::d)>> : std::true_type {};
template <class B, class = void>
struct HasDmin : std::false_type {};
template <class B>
struct HasDmin<B, std::void_t<decltype(B::dmin)>> : std::true_type {};
template <class B, class = void>
struct HasM : std::false_type {};
template <class B>
struct HasM<B, std::void_t<decltype(B::m)>> : std::true_type {};

// A half between 2⁻¹⁰ and 1, of either sign.
f16 tame_half(Random& random) {
  const int h = random.between(5 << 10, (15 << 10) - 1) | random.below(2) << 15;
  return {{static_cast<uint8_t>(h), static_cast<uint8_t>(h >> 8)}};
}

template <class F>
void tame(Random& random, typename F::Block* b) {
  using Block = typename F::Block;
  if constexpr (F::kValues == 1) {
    const float x = random.uniform();  // its upper half is a BF16
    uint8_t bytes[4];
    std::memcpy(bytes, &x, 4);
    std::memcpy(b, bytes + 4 - sizeof *b, sizeof *b);
    if constexpr (std::is_same_v<F, F16>) *b = tame_half(random);
  } else if constexpr (HasD<Block>::value) {
    b->d = tame_half(random);
  } else {
    // IQ1_M: the last nibble of d has the sign and the upper exponent bits.
    b->scales[7] = static_cast<uint8_t>((b->scales[7] & 15) | 0x20);
  }
  if constexpr (HasDmin<Block>::value) b->dmin = tame_half(random);
  if constexpr (HasM<Block>::value) b->m = tame_half(random);
}

// Rows of random blocks, from an odd address.
template <class F>
struct Weights {
  Weights(Random& random, int n_rows, int n_values, Fill fill)
      : row_bytes(bytes_of<F>(n_values) + (random.one_in(2) ? 6 : 0)),
        bytes(1 + (n_rows - 1) * row_bytes + bytes_of<F>(n_values)) {
    for (uint8_t& b : bytes) b = static_cast<uint8_t>(random.next());
    const int odds = fill == kHostile  ? 2
                     : fill == kSparse ? 1 + 4000 / F::kValues
                                       : 0;  // of a block as wild as it comes
    const int alike[] = {0, 0x7f, 0x80, 0xff};
    for (int r = 0; r < n_rows; ++r) {
      uint8_t* p = bytes.data() + 1 + r * row_bytes;
      if (fill == kExtreme) std::memset(p, alike[random.below(4)], bytes_of<F>(n_values));
      auto* block = reinterpret_cast<typename F::Block*>(p);
      for (int k = 0; k < n_values; k += F::kValues, ++block) {
        if (odds == 0 || !random.one_in(odds)) tame<F>(random, block);
      }
    }
  }
  const uint8_t* row(int r) const { return bytes.data() + 1 + r * row_bytes; }

  size_t row_bytes;
  std::vector<uint8_t> bytes;
};

// --------------------------------------------------------------------------------------------- matrix products

struct Exact {
  double value = 0, magnitude = 0, largest_scale = 1;
  bool infinite_mins = false;
};

template <class F>
Exact exact_product(const uint8_t* row, int n_values, const ActivationChunk* q, size_t stride) {
  Exact e;
  for (int i = 0; i < n_chunks(n_values); ++i) {
    const int n = chunk_values(n_values, i);
    const ActivationChunk& a = q[i * stride];
    RowChunk w;
    unpack_row<F>(row + i * bytes_of<F>(kChunk), n, &w);
    for (int s = 0; s < n / F::kSub; ++s) {
      int dot = 0, sum = 0;
      for (int k = s * F::kSub; k < (s + 1) * F::kSub; ++k) {
        dot += w.q[k] * a.q[k];
        sum += a.q[k];
      }
      const double scale = a.scale[s * F::kSub / 32];
      const double product = static_cast<double>(w.scale[s]) * dot,
                   min = F::kHasMin ? static_cast<double>(w.min[s]) * sum : 0;
      e.infinite_mins |= F::kHasMin && !std::isfinite(w.min[s]);
      e.value += (product - min) * scale;
      e.magnitude += size(product * scale) + size(min * scale);
      e.largest_scale = std::max(e.largest_scale, scale);
    }
  }
  return e;
}

// Results of the same rows and columns in calls of other sizes must be the same to the bit.
void check_independence(void (*matmul)(const Matmul&), const Matmul& m, Random& random) {
  const int r0 = random.below(m.n_rows), n_rows = random.between(1, m.n_rows - r0);
  const int c0 = random.below(m.n_cols), n_cols = random.between(1, m.n_cols - c0);
  Matmul part = m;
  part.rows += r0 * m.row_bytes;
  part.n_rows = n_rows;
  part.rows_apart = random.one_in(2);
  part.n_cols = n_cols;
  if (m.q) {
    part.q += c0;
  } else {
    part.x += c0 * m.x_stride;
  }
  Guarded<float> out(static_cast<size_t>(n_rows) * n_cols);
  part.out = out.data();
  part.out_stride = n_rows;
  matmul(part);
  for (int c = 0; c < n_cols; ++c) {
    for (int r = 0; r < n_rows; ++r) {
      expect_bits(out[c * n_rows + r], m.out[(c0 + c) * m.out_stride + r0 + r], c * n_rows + r);
    }
  }
  expect_true(out.intact(), "written outside the result");
}

struct Shape {
  int n_rows, n_cols, n_values;
};

Shape random_shape(Random& random, int unit) {
  return {random.between(1, 40), random.between(1, 19), unit * random.between(1, 1056 / unit)};
}

// Runs a product at every level, and check(c, r, value) for each result.
template <class Run, class Check>
void check_product(const char* name, Matmul m, Random& random, Run kernel_of, Check check) {
  const Scratch scratch;
  m.scratch = scratch.p;
  m.out_stride = m.n_rows + random.below(3);
  for (int l = 0; l < n_levels; ++l) {
    m.rows_apart = random.one_in(2);
    label = format("%s %s, %d rows%s, %d columns of %d", levels[l]->name, name, m.n_rows, m.rows_apart ? " apart" : "",
                   m.n_cols, m.n_values);
    Guarded<float> out(m.out_stride * m.n_cols);
    m.out = out.data();
    kernel_of (*levels[l])(m);
    expect_true(out.intact(), "written outside the result");
    for (int c = 0; c < m.n_cols; ++c) {
      for (int r = 0; r < m.n_rows; ++r) check(c, r, out[c * m.out_stride + r]);
      expect_true(out.untouched(c * m.out_stride + m.n_rows, (c + 1) * m.out_stride), "written between columns");
    }
    check_independence(kernel_of(*levels[l]), m, random);
  }
}

template <class F>
void check_matmul(const char* name, int id, Shape s, Fill fill, Random& random) {
  const Weights<F> weights(random, s.n_rows, s.n_values, fill);
  const int chunks = n_chunks(s.n_values);
  std::vector<ActivationChunk> q(static_cast<size_t>(chunks) * s.n_cols);
  for (int c = 0; c < s.n_cols; ++c) {
    const Fill column = fill == kTame || random.one_in(2) ? kTame : fill;
    const std::vector<float> x = floats(random, s.n_values, column);
    scalar->quantize(x.data(), s.n_values, kActivationBlock<F>, &q[c], s.n_cols);
  }
  Matmul m = {};
  m.rows = weights.row(0);
  m.row_bytes = weights.row_bytes;
  m.n_rows = s.n_rows;
  m.n_values = s.n_values;
  m.n_cols = s.n_cols;
  m.q = q.data();
  m.q_stride = s.n_cols;
  // A term is multiplied twice and its min once subtracted; then 2 additions for each later sub-block of its chunk, the
  // chunk's scale, and an addition a chunk.
  const double operations = 4 + 2 * kChunk / F::kSub + chunks;
  check_product(
      name, m, random, [&](const Kernels& k) { return k.matmul[id]; },
      [&](int c, int r, float got) {
        const Exact e = exact_product<F>(weights.row(r), s.n_values, &q[c], s.n_cols);
        // A level may add up the mins of a block before it multiplies them by its d: where that is ∞, one of them may
        // be 0, or two cancel, and the sum is ∞ all the same.
        if (e.infinite_mins && std::isnan(e.value) && std::isinf(got)) return;
        const double underflow = operations * s.n_values * kTiny * e.largest_scale;
        expect(got, e.value, e.magnitude, operations * kU * e.magnitude + underflow, c * s.n_rows + r);
      });
}

template <class F>
void check_matmul_float(const char* name, int id, Shape s, Fill fill, Random& random) {
  const Weights<F> weights(random, s.n_rows, s.n_values, fill);
  const size_t x_stride = s.n_values + random.below(3);
  std::vector<float> x = floats(random, x_stride * (s.n_cols - 1) + s.n_values, fill);
  std::vector<float> w(static_cast<size_t>(s.n_rows) * s.n_values);
  for (int r = 0; r < s.n_rows; ++r)
    decode(static_cast<Format>(id), weights.row(r), s.n_values, &w[static_cast<size_t>(r) * s.n_values]);
  Matmul m = {};
  m.rows = weights.row(0);
  m.row_bytes = weights.row_bytes;
  m.n_rows = s.n_rows;
  m.n_values = s.n_values;
  m.n_cols = s.n_cols;
  m.x = x.data();
  m.x_stride = x_stride;
  // The product, at most 256 additions in the chunk, and one a chunk.
  const double operations = 1 + smaller(kChunk, s.n_values) + n_chunks(s.n_values);
  check_product(
      name, m, random, [&](const Kernels& k) { return k.matmul_float[id]; },
      [&](int c, int r, float got) {
        double exact = 0, magnitude = 0;
        for (int i = 0; i < s.n_values; ++i) {
          const double term = static_cast<double>(w[static_cast<size_t>(r) * s.n_values + i]) * x[c * x_stride + i];
          exact += term;
          magnitude += size(term);
        }
        expect(got, exact, magnitude, operations * kU * magnitude + s.n_values * kTiny, c * s.n_rows + r);
      });
}

template <class F>
void check_decode(const char* name, int id, Random& random) {
  for (int n_blocks : {1, 2, 7, 33}) {
    const int n = n_blocks * F::kValues;
    const Weights<F> weights(random, 1, n, kHostile);
    std::vector<float> want(n);
    decode(static_cast<Format>(id), weights.row(0), n, want.data());
    for (int l = 0; l < n_levels; ++l) {
      label = format("%s decode %s, %d values", levels[l]->name, name, n);
      Guarded<float> got(n);
      levels[l]->decode[id](weights.row(0), n, got.data());
      for (int i = 0; i < n; ++i) expect_bits(got[i], want[i], i);
      expect_true(got.intact(), "written outside the result");
    }
  }
}

template <class F>
void check_format(const char* name, int id, Random& random, int rounds) {
  check_decode<F>(name, id, random);
  for (int i = 0; i < rounds; ++i) {
    const Fill fill = static_cast<Fill>(i % 4);
    Shape s = random_shape(random, F::kValues);
    if (i == 0) s = {16, 16, s.n_values};
    if (i == 1) s = {1, 1, F::kValues};
    if (i == 3) s = {32, 1, s.n_values};
    if constexpr (F::kValues > 1) check_matmul<F>(name, id, s, fill, random);
    check_matmul_float<F>(format("%s with floats", name).c_str(), id, s, fill, random);
  }
}

// ------------------------------------------------------------------------------------------------- activations

// The scalar quantisation against its definition.
void check_quantized(const std::vector<float>& x, int n, int block, const ActivationChunk* chunks, size_t stride) {
  for (int start = 0; start < n; start += block) {
    const int end = smaller(n, start + block);
    const ActivationChunk& c = chunks[start / kChunk * stride];
    const int8_t* q = c.q + start % kChunk;
    float max = 0;
    bool finite = true;
    for (int i = start; i < end; ++i) {
      finite = finite && std::isfinite(x[i]);
      max = std::max(max, std::abs(x[i]));
    }
    float scale = finite ? max / 127 : kNaN;
    const bool zero = !finite || scale < std::numeric_limits<float>::min();
    if (finite && zero) scale = 0;
    for (int i = start; i < end; ++i) {
      CHECK_EQ(static_cast<int>(q[i - start]), zero ? 0 : static_cast<int>(std::nearbyint(x[i] / scale)));
    }
    for (int j = start % kChunk / 32; j < (start % kChunk + block) / 32; ++j) expect_bits(c.scale[j], scale, j);
  }
  for (int i = 0; i < n_chunks(n); ++i) {
    const ActivationChunk& c = chunks[i * stride];
    int sum16[16] = {};
    int bias32[16][2] = {};
    for (int k = 0; k < kChunk; ++k) {
      sum16[k / 16] += c.q[k];
      bias32[k / 16][k / 4 % 2] -= 32 * c.q[k];
    }
    for (int k = chunk_values(n, i); k < kChunk; ++k) CHECK_EQ(c.q[k], 0);
    for (int j = 0; j < 16; ++j) {
      CHECK_EQ(int{c.sum16[j]}, sum16[j]);
      for (int i = 0; i < 2; ++i) CHECK_EQ(c.bias32[j][i], bias32[j][i]);
    }
    for (int j = 0; j < 8; ++j) {
      CHECK_EQ(int{c.sum32[j]}, sum16[2 * j] + sum16[2 * j + 1]);
      CHECK_EQ(c.sum32f[j], static_cast<float>(c.sum32[j]));
    }
  }
}

void check_quantize(Random& random) {
  for (int round = 0; round < 300; ++round) {
    const int n = 32 * random.between(1, 33), block = round % 2 ? 32 : kChunk;
    std::vector<float> x = floats(random, n, static_cast<Fill>(round % 3));
    const float factors[] = {0, 1e-44f, 1e-37f, 1, 1e37f};
    for (float& v : x) v *= factors[round % 5];
    if (round % 7 == 0) {
      for (float& v : x) v = static_cast<float>(random.between(-254, 254)) / 2;  // ties
      x[0] = 127;
    }
    const size_t stride = random.between(1, 3), size = (n_chunks(n) - 1) * stride + 1;
    std::vector<ActivationChunk> want(size);
    scalar->quantize(x.data(), n, block, want.data(), stride);
    label = format("scalar quantize, %d values by %d", n, block);
    check_quantized(x, n, block, want.data(), stride);
    for (int l = 1; l < n_levels; ++l) {
      label = format("%s quantize, %d values by %d", levels[l]->name, n, block);
      Guarded<ActivationChunk> got(size);
      levels[l]->quantize(x.data(), n, block, got.data(), stride);
      expect_true(got.intact(), "written outside the result");
      for (size_t i = 0; i < size; ++i) {
        if (i % stride) {
          expect_true(got.untouched(i, i + 1), "written between chunks");
          continue;
        }
        const ActivationChunk &g = got[i], &w = want[i];
        expect_true(std::memcmp(g.q, w.q, sizeof g.q) == 0, "other integers than scalar's");
        expect_true(std::memcmp(g.sum32, w.sum32, sizeof g.sum32) == 0, "other sums of 32 than scalar's");
        expect_true(std::memcmp(g.sum16, w.sum16, sizeof g.sum16) == 0, "other sums of 16 than scalar's");
        expect_true(std::memcmp(g.bias32, w.bias32, sizeof g.bias32) == 0, "other biases than scalar's");
        for (int j = 0; j < 8; ++j) {
          expect_bits(g.scale[j], w.scale[j], j);
          expect_bits(g.sum32f[j], w.sum32f[j], j);
        }
      }
    }
  }
}

// ------------------------------------------------------------------------------------------------- vectors

// kernel(level, out) for every level, where check(i, value) judges the n results.
template <class Run, class Check>
void check_vector(const std::string& what, size_t n, Run run, Check check) {
  for (int l = 0; l < n_levels; ++l) {
    label = format("%s %s", levels[l]->name, what.c_str());
    Guarded<float> out(n);
    run(*levels[l], out.data());
    for (size_t i = 0; i < n; ++i) check(i, out[i]);
    expect_true(out.intact(), "written outside the result");
  }
}

void check_rms_norm(Random& random, int n, Fill fill) {
  std::vector<float> x = floats(random, n, fill), weight = floats(random, n, kTame);
  if (fill == kSparse && random.one_in(2)) {
    for (float& v : x) v *= 1e37f;
  }
  const float eps = 1e-5f;
  double sum = 0;
  for (float v : x) sum += static_cast<double>(v) * v;
  const double inverse = 1 / std::sqrt(sum / n + eps);
  // The factor is rounded, to 2⁻¹⁵⁰ where it is that small, and two products are; the factor's sum is in double.
  const double relative = 4 * kU + (inverse > 0 ? kTiny / 2 / inverse : 0);
  const auto check = [&](size_t i, float got) {
    const double exact = x[i] * inverse * weight[i];
    expect(got, exact, 0, relative * std::abs(exact) + kTiny * (1 + std::abs(weight[i])), i);
  };
  const std::string what = format("rms_norm, %d values", n);
  check_vector(
      what, n, [&](const Kernels& k, float* out) { k.rms_norm(x.data(), weight.data(), n, eps, out); }, check);
  check_vector(
      what + " in place", n,
      [&](const Kernels& k, float* out) {
        std::copy(x.begin(), x.end(), out);
        k.rms_norm(out, weight.data(), n, eps, out);
      },
      check);
}

void check_rope(Random& random, int head_dim, Fill fill) {
  const int n_heads = random.between(1, 5), n_pairs = random.one_in(2) ? head_dim / 2 : random.between(0, head_dim / 2);
  const std::vector<float> x = floats(random, static_cast<size_t>(n_heads) * head_dim, fill);
  std::vector<float> cos(n_pairs), sin(n_pairs);
  for (int i = 0; i < n_pairs; ++i) {
    const double angle = 3.2 * random.uniform();
    cos[i] = static_cast<float>(std::cos(angle));
    sin[i] = static_cast<float>(std::sin(angle));
  }
  check_vector(
      format("rope, %d heads of %d, %d pairs", n_heads, head_dim, n_pairs), x.size(),
      [&](const Kernels& k, float* out) {
        std::copy(x.begin(), x.end(), out);
        k.rope(out, n_heads, head_dim, cos.data(), sin.data(), n_pairs);
      },
      [&](size_t i, float got) {
        const size_t pair = i % head_dim / 2;
        if (pair >= static_cast<size_t>(n_pairs)) return expect_bits(got, x[i], i);
        const double c = cos[pair], s = i % 2 ? sin[pair] : -sin[pair];
        const double a = x[i] * c, b = x[i ^ 1] * s, magnitude = size(a) + size(b);
        expect(got, a + b, magnitude, 2 * kU * magnitude + 3 * kTiny, i);
      });
}

void check_swiglu(Random& random, int n, Fill fill) {
  std::vector<float> gate = floats(random, n, fill), up = floats(random, n, fill);
  for (float& g : gate) g *= random.one_in(2) ? 1 : 30;
  const auto check = [&](size_t i, float got) {
    const double g = gate[i];
    const double exact = g == -kInfinity ? kNaN : g / (1 + std::exp(-g)) * up[i];
    // exp within 2 ulp, which is 4u; the sum, the quotient and the product. Below −88 exp(−g) overflows to infinity on
    // the way, or nearly, and the result to ±0.
    const double relative = g < -88 ? 1 : 7 * kU;
    expect(got, exact, std::abs(exact), relative * std::abs(exact) + kTiny * (1 + std::abs(up[i])), i);
  };
  const std::string what = format("swiglu, %d values", n);
  check_vector(
      what, n, [&](const Kernels& k, float* out) { k.swiglu(gate.data(), up.data(), n, out); }, check);
  check_vector(
      what + " in place", n,
      [&](const Kernels& k, float* out) {
        std::copy(gate.begin(), gate.end(), out);
        k.swiglu(out, up.data(), n, out);
      },
      check);
}

void check_add(Random& random, int n, Fill fill) {
  const std::vector<float> x = floats(random, n, fill), y = floats(random, n, fill);
  check_vector(
      format("add, %d values", n), n,
      [&](const Kernels& k, float* out) {
        std::copy(x.begin(), x.end(), out);
        k.add(out, y.data(), n);
      },
      [&](size_t i, float got) { expect_bits(got, x[i] + y[i], i); });
}

void check_vectors(Random& random) {
  for (int n = 1; n < 75; ++n) {
    for (Fill fill : {kTame, kSparse, kHostile}) {
      check_rms_norm(random, n, fill);
      check_swiglu(random, n, fill);
      check_add(random, n, fill);
    }
  }
  check_rms_norm(random, 5120, kTame);
  check_swiglu(random, 20000, kTame);
  for (int head_dim : {2, 6, 64, 80, 100, 128, 256}) {
    for (int i = 0; i < 12; ++i) check_rope(random, head_dim, static_cast<Fill>(i % 3));
  }
}

// --------------------------------------------------------------------------------------------------- attention

// x rounded to a half, from the definition: the nearest, of two the even one.
bool is_nearest_half(float x, uint16_t h) {
  const double got = half_to_float(h), wanted = x;
  if (std::isnan(x)) return std::isnan(got);
  if (std::signbit(x) != (h >> 15)) return false;
  if (std::abs(wanted) >= 65520) return std::isinf(got);
  if (!std::isfinite(got)) return false;
  const double error = std::abs(got - wanted);
  for (int step : {-1, 1}) {
    const int neighbour = (h & 0x7fff) + step;
    if (neighbour < 0) continue;
    const double value =
        neighbour == 0x7c00 ? 65536 : static_cast<double>(half_to_float(static_cast<uint16_t>(neighbour)));
    const double other = std::abs(value - std::abs(wanted));
    if (other < error || (other == error && h % 2)) return false;
  }
  return true;
}

void check_store(Random& random, int head_dim) {
  const size_t page = 2 * static_cast<size_t>(kPageTokens) * head_dim;
  const int slot = random.below(kPageTokens);
  std::vector<float> k = floats(random, head_dim, kHostile), v = floats(random, head_dim, kHostile);
  for (std::vector<float>* x : {&k, &v}) {
    for (float& f : *x) {
      if (random.one_in(2)) continue;
      // A value halfway between two halves, or next to it, of any exponent.
      const uint32_t u =
          static_cast<uint32_t>(random.next() >> 32 & 0x8fffe000) + 0x32000000 + (0x1000u + random.between(-1, 1));
      std::memcpy(&f, &u, 4);
    }
  }
  for (int l = 0; l < n_levels; ++l) {
    label = format("%s store_kv, head_dim %d, slot %d", levels[l]->name, head_dim, slot);
    Guarded<uint16_t> out(page);
    levels[l]->store_kv(k.data(), v.data(), head_dim, out.data(), slot);
    expect_true(out.intact(), "written outside the page");
    const size_t values = static_cast<size_t>(kPageTokens) * head_dim;
    for (int d = 0; d < head_dim; ++d) {
      expect_true(is_nearest_half(k[d], out[d * kPageTokens + slot]), "key is not the nearest half");
      expect_true(is_nearest_half(v[d], out[values + slot * head_dim + d]), "value is not the nearest half");
      for (int t = 0; t < kPageTokens; ++t) {
        if (t != slot)
          expect_true(out.untouched(d * kPageTokens + t, d * kPageTokens + t + 1), "another slot's key written");
      }
    }
    expect_true(out.untouched(values, values + slot * head_dim) && out.untouched(values + (slot + 1) * head_dim, page),
                "another slot's value written");
  }
}

struct State {
  State(int n_rows, int head_dim) : max(n_rows), sum(n_rows), out(static_cast<size_t>(n_rows) * head_dim) {}
  AttentionState view() { return {max.data(), sum.data(), out.data()}; }
  bool intact() const { return max.intact() && sum.intact() && out.intact(); }
  Guarded<float> max, sum, out;
};

// One KV head's pages and the queries over them.
struct Case {
  Case(Random& random, int head_dim_, bool with_nan)
      : head_dim(head_dim_), n_rows(random.between(1, 9)), n_pages(random.below(6)) {
    const int n_tokens = n_pages * kPageTokens;
    q.resize(static_cast<size_t>(n_rows) * head_dim);
    const float size = 8 / std::sqrt(static_cast<float>(head_dim));
    for (float& v : q) v = random.uniform() * size;
    int most = 0;
    for (int r = 0; r < n_rows; ++r) {
      n_visible.push_back(random.one_in(3) ? n_tokens : random.below(n_tokens + 1));
      most = std::max(most, n_visible[r]);
    }
    for (int p = 0; p < n_pages; ++p) {
      std::vector<uint16_t> page(2 * static_cast<size_t>(kPageTokens) * head_dim);
      for (uint16_t& h : page) h = static_cast<uint16_t>(random.between(8 << 10, 16 << 10) | random.below(2) << 15);
      pages.push_back(std::move(page));
      for (int t = 0; t < kPageTokens; ++t) {
        const bool unseen = p * kPageTokens + t >= most;
        for (int d = 0; d < head_dim; ++d) {
          if (unseen || (with_nan && random.one_in(40 * head_dim))) key(p, t, d) = 0x7e00;
          if (unseen || (with_nan && random.one_in(40 * head_dim))) value(p, t, d) = 0xfe00;
        }
      }
    }
    for (const auto& page : pages) pointers.push_back(page.data());
  }

  uint16_t& key(int p, int t, int d) { return pages[p][d * kPageTokens + t]; }
  uint16_t& value(int p, int t, int d) {
    return pages[p][static_cast<size_t>(kPageTokens) * head_dim + t * head_dim + d];
  }

  Attention attention(State& state, void* scratch) const {
    return {q.data(), n_rows, head_dim, pointers.data(), n_visible.data(), n_pages, state.view(), scratch};
  }

  int head_dim, n_rows, n_pages;
  std::vector<float> q;
  std::vector<int32_t> n_visible;
  std::vector<std::vector<uint16_t>> pages;
  std::vector<const uint16_t*> pointers;
};

// Row r of a state that a level computed, against the exact sums at the level's own maximum.
void check_attention_row(Case& c, int r, State& state) {
  const int n = c.n_visible[r], head_dim = c.head_dim;
  const float max = state.max[r];
  double sum = 0, sum_tolerance = 0, best = -kInfinity, best_tolerance = 0;
  std::vector<double> out(head_dim), magnitude(head_dim), tolerance(head_dim);
  for (int t = 0; t < n; ++t) {
    const int page = t / kPageTokens, slot = t % kPageTokens;
    double score = 0, score_size = 0;
    for (int d = 0; d < head_dim; ++d) {
      const double term =
          static_cast<double>(c.q[static_cast<size_t>(r) * head_dim + d]) * half_to_float(c.key(page, slot, d));
      score += term;
      score_size += std::abs(term);
    }
    const double score_error = (head_dim + 1) * kU * score_size;
    if (score > best) best = score;
    best_tolerance = std::max(best_tolerance, score_error);
    const double p = std::exp(score - max);
    // The score, the difference to the maximum (in steps, as the maximum rises), an exp of 2 ulp for it and one with a
    // product for each later page, and the additions.
    const double relative = score_error + 2 * kU * std::abs(score - max) + (4 + 6.0 * c.n_pages + n) * kU;
    sum += p;
    sum_tolerance += p * relative;
    for (int d = 0; d < head_dim; ++d) {
      const double term = p * half_to_float(c.value(page, slot, d));
      out[d] += term;
      tolerance[d] += std::abs(term) * (relative + kU) + kTiny * 8;
    }
  }
  if (n == 0) {
    expect_bits(max, -kInfinity, r);
    expect_bits(state.sum[r], 0, r);
  } else if (!std::isnan(sum)) {
    expect(max, best, 0, best_tolerance, r);
  }
  expect(state.sum[r], sum, 0, sum_tolerance + n * kTiny, r);
  for (int d = 0; d < head_dim; ++d)
    expect(state.out[static_cast<size_t>(r) * head_dim + d], out[d], 0, tolerance[d], d);
}

void check_attend(Random& random, int head_dim, bool with_nan) {
  Case c(random, head_dim, with_nan);
  const Scratch scratch;
  for (int l = 0; l < n_levels; ++l) {
    label = format("%s attend, %d rows of %d, %d pages", levels[l]->name, c.n_rows, head_dim, c.n_pages);
    State all(c.n_rows, head_dim);
    levels[l]->attend(c.attention(all, scratch.p));
    expect_true(all.intact(), "written outside the state");
    for (int r = 0; r < c.n_rows; ++r) check_attention_row(c, r, all);

    // A row by itself gives the same bits.
    const int r = random.below(c.n_rows);
    State alone(1, head_dim);
    Attention one = c.attention(alone, scratch.p);
    one.q += static_cast<size_t>(r) * head_dim;
    one.n_visible += r;
    one.n_rows = 1;
    levels[l]->attend(one);
    expect_bits(alone.max[0], all.max[r], r);
    expect_bits(alone.sum[0], all.sum[r], r);
    for (int d = 0; d < head_dim; ++d) expect_bits(alone.out[d], all.out[static_cast<size_t>(r) * head_dim + d], d);

    // Earlier and later pages, merged, are all of them.
    label += ", merged";
    const int split = random.below(c.n_pages + 1);
    State earlier(c.n_rows, head_dim), later(c.n_rows, head_dim);
    Attention first = c.attention(earlier, scratch.p), second = c.attention(later, scratch.p);
    std::vector<int32_t> first_visible, second_visible;
    for (int n : c.n_visible) {
      first_visible.push_back(smaller(n, split * kPageTokens));
      second_visible.push_back(n - first_visible.back());
    }
    first.n_pages = split;
    first.n_visible = first_visible.data();
    second.pages += split;
    second.n_pages -= split;
    second.n_visible = second_visible.data();
    levels[l]->attend(first);
    levels[l]->attend(second);
    levels[l]->merge_attention(earlier.view(), later.view(), c.n_rows, head_dim);
    expect_true(earlier.intact(), "written outside the state");
    for (int i = 0; i < c.n_rows; ++i) check_attention_row(c, i, earlier);
  }
}

void check_merge(Random& random, int head_dim) {
  constexpr int kRows = 12;
  const float scale = random.one_in(2) ? 1.0f : 20.0f;
  std::vector<float> max[2], sum[2], out[2];
  for (int i = 0; i < 2; ++i) {
    max[i] = floats(random, kRows, kTame);
    sum[i] = floats(random, kRows, kTame);
    out[i] = floats(random, static_cast<size_t>(kRows) * head_dim, kTame);
    for (int r = 0; r < kRows; ++r) {
      const bool empty = random.one_in(4);
      max[i][r] = empty ? -kInfinity : scale * max[i][r];
      sum[i][r] = empty ? 0 : 1 + std::abs(sum[i][r]);
      for (int d = 0; empty && d < head_dim; ++d) out[i][static_cast<size_t>(r) * head_dim + d] = 0;
    }
  }
  for (int l = 0; l < n_levels; ++l) {
    label = format("%s merge_attention, head_dim %d", levels[l]->name, head_dim);
    State into(kRows, head_dim);
    std::copy(max[0].begin(), max[0].end(), into.max.data());
    std::copy(sum[0].begin(), sum[0].end(), into.sum.data());
    std::copy(out[0].begin(), out[0].end(), into.out.data());
    levels[l]->merge_attention(into.view(), {max[1].data(), sum[1].data(), out[1].data()}, kRows, head_dim);
    expect_true(into.intact(), "written outside the state");
    for (int r = 0; r < kRows; ++r) {
      const double m = std::max(max[0][r], max[1][r]);
      expect_bits(into.max[r], static_cast<float>(m), r);
      // Each side: the difference, an exp of 2 ulp, the product and the sum.
      double factor[2], relative[2];
      for (int i = 0; i < 2; ++i) {
        factor[i] = sum[i][r] == 0 ? 0 : std::exp(max[i][r] - m);
        relative[i] = sum[i][r] == 0 ? 0 : (6 + std::abs(max[i][r] - m)) * kU;
      }
      const auto check = [&](float got, double a, double b, size_t index) {
        const double tolerance =
            std::abs(a * factor[0]) * relative[0] + std::abs(b * factor[1]) * relative[1] + 4 * kTiny;
        expect(got, a * factor[0] + b * factor[1], 0, tolerance, index);
      };
      check(into.sum[r], sum[0][r], sum[1][r], r);
      for (size_t d = static_cast<size_t>(r) * head_dim; d < static_cast<size_t>(r + 1) * head_dim; ++d) {
        check(into.out[d], out[0][d], out[1][d], d);
      }
    }
  }
}

void check_attention(Random& random) {
  for (int head_dim : {1, 2, 7, 64, 80, 100, 128, 256}) {
    for (int i = 0; i < 8; ++i) {
      check_store(random, head_dim);
      check_merge(random, head_dim);
    }
    for (int i = 0; i < 24; ++i) check_attend(random, head_dim, i % 4 == 3);
  }
}

// ---------------------------------------------------------------------------------------------------- sampling

void check_exp_below(Random& random) {
  for (size_t n = 1; n < 40; ++n) {
    std::vector<double> x(n);
    const double max = n % 3 == 0 ? 1e38 : 12.5;
    for (size_t i = 0; i < n; ++i) {
      const double d = static_cast<double>(random.next() >> 11) * 0x1p-53;
      const double scale[] = {1, 40, 750, 1e38, 1e-9, 0};
      x[i] = max - d * scale[random.next() % 6];
    }
    x[n / 2] = max - 708;
    for (int l = 0; l < n_levels; ++l) {
      label = format("%s exp_below, %d values", levels[l]->name, static_cast<int>(n));
      Guarded<double> out(n);
      levels[l]->exp_below(x.data(), n, max, out.data());
      for (size_t i = 0; i < n; ++i) {
        const double want = x[i] - max < -708 ? 0 : portable_exp(x[i] - max);
        expect_true(std::memcmp(&out[i], &want, sizeof want) == 0, "not portable_exp, bit for bit");
      }
      expect_true(out.intact(), "written outside the result");
    }
  }
}

// In place and out of it, with few and many kept, equal keys at the bounds and logits that make no number of a key.
void check_keep_in_range(Random& random) {
  for (size_t n = 1; n < 40; ++n) {
    for (int i = 0; i < 8; ++i) {
      std::vector<int32_t> ids(n);
      std::vector<double> logits(n), weights(n);
      for (size_t j = 0; j < n; ++j) {
        ids[j] = static_cast<int32_t>(random.next());
        logits[j] = random.one_in(9) ? -HUGE_VAL : random.between(-4, 4);
        weights[j] = static_cast<double>(random.next());
      }
      const double center = random.one_in(5) ? -HUGE_VAL : random.between(-4, 4) / 2.0;
      const double low = random.between(-6, 2), high = random.one_in(5) ? HUGE_VAL : low + random.between(0, 9);
      const KeyRange range{center, random.one_in(2), low, high};
      const size_t begin = static_cast<size_t>(random.below(static_cast<int>(n)));
      const size_t to = static_cast<size_t>(random.below(static_cast<int>(begin) + 1));
      const bool weighed = random.one_in(2);
      std::vector<size_t> want;
      for (size_t j = begin; j < n; ++j) {
        const double key = range.absolute ? std::fabs(center - logits[j]) : center - logits[j];
        if (key >= low && key <= high) want.push_back(j);
      }
      for (int l = 0; l < n_levels; ++l) {
        label = format("%s keep_in_range, %d to %d of %d", levels[l]->name, static_cast<int>(begin),
                       static_cast<int>(to), static_cast<int>(n));
        Guarded<int32_t> got_ids(n);
        Guarded<double> got_logits(n), got_weights(n);
        std::copy(ids.begin(), ids.end(), &got_ids[0]);
        std::copy(logits.begin(), logits.end(), &got_logits[0]);
        std::copy(weights.begin(), weights.end(), &got_weights[0]);
        const size_t end = levels[l]->keep_in_range(range, begin, n, to, &got_ids[0], &got_logits[0],
                                                    weighed ? &got_weights[0] : nullptr);
        expect_true(end == to + want.size(), "another number is kept");
        for (size_t j = 0; j < n && end == to + want.size(); ++j) {
          const size_t from = j < to ? j : j < end ? want[j - to] : j;
          if (j < end) expect_true(got_ids[j] == ids[from] && got_logits[j] == logits[from], "another one is kept");
          if (j < end || !weighed) {
            expect_true(got_weights[j] == weights[weighed ? from : j], "not the weight of what is kept");
          }
        }
        expect_true(got_ids.intact() && got_logits.intact() && got_weights.intact(), "written outside the candidates");
      }
    }
  }
}

void check_bucket(Random& random) {
  for (size_t n = 1; n < 40; ++n) {
    std::vector<double> logits(n);
    for (double& x : logits) x = random.one_in(9) ? -1e38 : random.between(-4000, 4000) / 256.0;
    const double center = random.between(-8, 8) / 2.0;
    const KeyRange range{center, random.one_in(2), -20, -20 + random.between(1, 200) / 4.0};
    for (int l = 0; l < n_levels; ++l) {
      label = format("%s bucket, %d logits", levels[l]->name, static_cast<int>(n));
      Guarded<int32_t> out(n);
      levels[l]->bucket(range, 1023, logits.data(), n, out.data());
      for (size_t i = 0; i < n; ++i) {
        const double key = range.absolute ? std::fabs(center - logits[i]) : center - logits[i];
        const double place = (key - range.low) * (1023 / (range.high - range.low));
        expect_true(out[i] == static_cast<int32_t>(std::min(place, 1023.0)), "another bucket");
      }
      expect_true(out.intact(), "written outside the result");
    }
  }
}

void check_widen_and_extremes(Random& random) {
  for (size_t n = 1; n < 40; ++n) {
    std::vector<float> x(n);
    for (float& v : x) v = random.one_in(9) ? -HUGE_VALF : random.uniform() * 1e30f;
    for (int l = 0; l < n_levels; ++l) {
      label = format("%s widen and extremes, %d values", levels[l]->name, static_cast<int>(n));
      Guarded<int32_t> ids(n);
      Guarded<double> out(n);
      levels[l]->widen(x.data(), n, ids.data(), out.data());
      for (size_t i = 0; i < n; ++i) {
        expect_true(ids[i] == static_cast<int32_t>(i) && out[i] == static_cast<double>(x[i]), "another value");
      }
      expect_true(ids.intact() && out.intact(), "written outside the result");
      double least = 0, most = 0;
      levels[l]->extremes(out.data(), n, &least, &most);
      expect_true(least == static_cast<double>(*std::min_element(x.begin(), x.end())), "not the least");
      expect_true(most == static_cast<double>(*std::max_element(x.begin(), x.end())), "not the largest");
      levels[l]->extremes(out.data(), 0, &least, &most);
      expect_true(least == HUGE_VAL && most == -HUGE_VAL, "extremes of nothing");
    }
  }
}

// --------------------------------------------------------------------------------------------------- measuring

void check_measuring(Random& random) {
  std::vector<uint64_t> words(3 * 512);
  uint64_t sum = 0;
  for (uint64_t& w : words) sum += w = random.next();
  for (int l = 0; l < n_levels; ++l) {
    label = format("%s measuring", levels[l]->name);
    const int n_streams = 1 << random.below(5);
    expect_true(levels[l]->read_bytes(words.data(), words.size() * 8, n_streams) == sum,
                "read_bytes is not the sum of the words");
    uint64_t sink = 1;
    const double once = levels[l]->dot_peak(1, &sink), thrice = levels[l]->dot_peak(3, &sink);
    expect_true(once > 0 && thrice == 3 * once, "dot_peak does not count its work");
  }
}

// The level in use is the highest, or the one that NAUTIL_ISA names if there is one of that name.
void check_dispatch() {
  const char* cap = std::getenv("NAUTIL_ISA");
  const Kernels* want = levels[n_levels - 1];
  for (int l = 0; l < n_levels; ++l) {
    if (cap && std::string_view(cap) == levels[l]->name) want = levels[l];
  }
  CHECK_EQ(kernels().name, want->name);
  // The emulator's CPU has every extension, so that no level goes unchecked.
  if (test::kEmulated) CHECK_EQ(levels[n_levels - 1]->name, "neon_i8mm");
}

// AMX without its instructions, on CPUs that have the others which its level takes.
void add_emulated_amx() {
#if defined(__x86_64__) || defined(_M_X64)
  for (int l = 0; l < n_levels; ++l) {
    if (std::string_view(levels[l]->name) != "avx512_vnni") continue;
    static Kernels emulated = *levels[l];
    emulated.name = "emulated amx_int8";
    init_emulated_amx(emulated);
    levels[n_levels++] = &emulated;
    return;
  }
#endif
}

}  // namespace

int run(uint64_t seed, int rounds) {
  n_levels = all_kernels(levels);
  scalar = levels[0];
  check_dispatch();
  add_emulated_amx();
  Random random{seed};
#define X(format, id, values, bytes) check_format<format>(#format, id, random, rounds);
  NT_FORMATS(X)
#undef X
  // More columns than a level's scratch may have room for at once.
  check_matmul<Q4_K>("Q4_K", static_cast<int>(Format::Q4_K), {3, 4099, 256}, kSparse, random);
  check_matmul_float<F16>("F16", static_cast<int>(Format::F16), {3, 4099, 33}, kSparse, random);
  // More groups of rows and columns than a level takes at once, the last ones not whole.
  check_matmul<Q4_K>("Q4_K", static_cast<int>(Format::Q4_K), {150, 40, 512}, kSparse, random);
  check_matmul<Q6_K>("Q6_K", static_cast<int>(Format::Q6_K), {150, 40, 512}, kSparse, random);
  check_matmul<Q6_K>("Q6_K", static_cast<int>(Format::Q6_K), {40, 520, 256}, kSparse, random);
  check_matmul<Q8_0>("Q8_0", static_cast<int>(Format::Q8_0), {70, 37, 288}, kSparse, random);
  check_quantize(random);
  check_vectors(random);
  check_attention(random);
  check_exp_below(random);
  check_keep_in_range(random);
  check_bucket(random);
  check_widen_and_extremes(random);
  check_measuring(random);
  return test::result();
}

}  // namespace nt::cpu

// kernels_check [seed [rounds]]: rounds are shapes a format.
int main(int argc, char** argv) {
  const uint64_t seed = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 1;
  return nt::cpu::run(seed, argc > 2 ? std::atoi(argv[2]) : test::kEmulated ? 12 : 24);
}
