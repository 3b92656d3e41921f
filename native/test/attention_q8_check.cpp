// Holds the kernels of a KV cache in Q8_0, at every level that this CPU runs, against the contract of kernels.h in
// double precision, hostile values included, and what is stored bit for bit against its definition.
//
// Tolerances are bounds: u = 2⁻²⁴ is the relative error of one F32 operation. See kernels_check.cpp.
#include <algorithm>
#include <cmath>
#include <memory>
#include <new>
#include <vector>

#include "check.h"
#include "cpu/kernels.h"
#include "cpu/kv_page_q8.h"
#include "cpu/tile.h"
#include "hostile.h"

namespace nt::cpu {
namespace {

using namespace test;

constexpr double kU = 1.0 / (1 << 24);
constexpr double kTiny = 1.401298464324817e-45;  // 2⁻¹⁴⁹
constexpr uint16_t kHalfNaN = 0x7e00;

std::string label;

void expect_true(bool ok, const char* what) {
  if (!ok) test::fail(__FILE__, __LINE__, label + ": " + what);
}

void expect(double got, double exact, double tolerance, const char* what) {
  if (std::isnan(exact) ? std::isnan(got) : got == exact || std::abs(got - exact) <= tolerance) return;
  test::fail(__FILE__, __LINE__, format("%s, %s: %.9g, not %.9g ± %.3g", label.c_str(), what, got, exact, tolerance));
}

bool same_bits(const float* a, const float* b, size_t n) {
  for (size_t i = 0; i < n; ++i) {
    if (std::memcmp(a + i, b + i, 4) != 0 && !(std::isnan(a[i]) && std::isnan(b[i]))) return false;
  }
  return true;
}

// ---------------------------------------------------------------------------------------------------- storing

// Whether q and scale are what the contract says of 32 values.
bool is_quantized(const float* x, const int* q, uint16_t scale) {
  float max = 0;
  bool finite = true;
  for (int i = 0; i < kKvBlock; ++i) {
    finite = finite && std::isfinite(x[i]);
    max = std::max(max, std::abs(x[i]));
  }
  const float wanted = max / 127;
  const bool none = !finite || wanted > 65504;
  const bool zeros = std::all_of(q, q + kKvBlock, [](int v) { return v == 0; });
  if (none) return std::isnan(half_to_float(scale)) && zeros;
  const float got = half_to_float(scale);
  if (got < wanted || (scale > 0 && half_to_float(static_cast<uint16_t>(scale - 1)) >= wanted)) return false;
  if (scale == 0) return zeros;
  for (int i = 0; i < kKvBlock; ++i) {
    if (q[i] != static_cast<int>(std::nearbyint(x[i] / got))) return false;
  }
  return true;
}

void check_store(const Kernels& kernels, Random& random, int head_dim) {
  label = format("%s store_kv_q8, head_dim %d", kernels.name, head_dim);
  std::vector<float> x[2];
  for (std::vector<float>& v : x) {
    v = floats(random, static_cast<size_t>(head_dim), static_cast<Fill>(random.below(2)));
    const float factors[] = {0, 1e-44f, 1e-9f, 1e-5f, 1, 1e6f, 1e37f};
    const float factor = factors[random.below(7)];
    for (float& f : v) f *= factor;
  }
  const int slot = random.below(kPageTokens);
  Guarded<uint8_t> bytes(kv_page_q8_bytes(head_dim));
  kernels.store_kv_q8(x[0].data(), x[1].data(), head_dim, bytes.data(), slot);
  expect_true(bytes.intact(), "written outside the page");

  std::vector<uint8_t> copy(bytes.data(), bytes.data() + bytes.size());
  const KvPageQ8<uint8_t> page(copy.data(), head_dim);
  for (int b = 0; b < head_dim / kKvBlock; ++b) {
    int k[kKvBlock], v[kKvBlock];
    for (int i = 0; i < kKvBlock; ++i) {
      const int d = b * kKvBlock + i;
      uint8_t& key = page.keys[d / 4 * kKeyGroupBytes + 4 * slot + d % 4];
      int8_t& value = page.values[slot * head_dim + d];
      k[i] = key - kKeyBias;
      v[i] = value;
      key = 0xa5;
      std::memset(&value, 0xa5, 1);
    }
    expect_true(is_quantized(&x[0][b * kKvBlock], k, page.key_scales[b * kPageTokens + slot]), "key");
    expect_true(is_quantized(&x[1][b * kKvBlock], v, page.value_scales[b * kPageTokens + slot]), "value");
    page.key_scales[b * kPageTokens + slot] = page.value_scales[b * kPageTokens + slot] = 0xa5a5;
  }
  expect_true(std::all_of(copy.begin(), copy.end(), [](uint8_t u) { return u == 0xa5; }), "another slot written");
}

// -------------------------------------------------------------------------------------------------- attending

struct State {
  State(int n_rows, int head_dim) : max(n_rows), sum(n_rows), out(static_cast<size_t>(n_rows) * head_dim) {}
  AttentionState view() { return {max.data(), sum.data(), out.data()}; }
  bool intact() const { return max.intact() && sum.intact() && out.intact(); }
  Guarded<float> max, sum, out;
};

// One KV head's pages of any bytes, with NaN wherever no row sees, and queries over them.
struct Case {
  Case(Random& random, int head_dim_, bool hostile)
      : head_dim(head_dim_), n_rows(random.between(1, 19)), n_pages(random.below(5)) {
    const int n_tokens = n_pages * kPageTokens;
    q = floats(random, static_cast<size_t>(n_rows) * head_dim, kTame);
    const float size = (random.one_in(4) ? 20 : 2) / std::sqrt(static_cast<float>(head_dim));
    for (float& v : q) v *= size;
    if (hostile) q[random.below(static_cast<int>(q.size()))] = random.hostile();
    int most = 0;
    for (int r = 0; r < n_rows; ++r) {
      n_visible.push_back(random.one_in(3) ? n_tokens : random.below(n_tokens + 1));
      most = std::max(most, n_visible[r]);
    }
    for (int p = 0; p < n_pages; ++p) {
      std::vector<uint8_t> bytes(kv_page_q8_bytes(head_dim));
      for (uint8_t& b : bytes) b = static_cast<uint8_t>(random.next());
      const KvPageQ8<uint8_t> page(bytes.data(), head_dim);
      for (int i = 0; i < head_dim / kKvBlock * kPageTokens; ++i) {
        const bool unseen = p * kPageTokens + i % kPageTokens >= most;
        for (uint16_t* scale : {page.key_scales + i, page.value_scales + i}) {
          *scale = static_cast<uint16_t>(random.between(0x1000, 0x2400));  // about 2⁻¹¹ to 2⁻⁶
          if (unseen || (hostile && random.one_in(200))) *scale = kHalfNaN;
        }
      }
      pages.push_back(std::move(bytes));
    }
    for (const auto& page : pages) pointers.push_back(page.data());
  }

  AttentionQ8 attention(State& state, void* scratch) const {
    return {q.data(), n_rows, head_dim, pointers.data(), n_visible.data(), n_pages, state.view(), scratch};
  }

  int head_dim, n_rows, n_pages;
  std::vector<float> q;
  std::vector<int32_t> n_visible;
  std::vector<std::vector<uint8_t>> pages;
  std::vector<const uint8_t*> pointers;
};

// A query's block as the contract rounds it: returns the scale.
double rounded(const float* x, int* q) {
  float max = 0;
  bool finite = true;
  for (int i = 0; i < kKvBlock; ++i) {
    finite = finite && std::isfinite(x[i]);
    max = std::max(max, std::abs(x[i]));
  }
  const float scale = max / kQueryMax;
  const bool zero = !finite || scale < 1.17549435e-38f;
  for (int i = 0; i < kKvBlock; ++i) q[i] = zero ? 0 : static_cast<int>(std::nearbyint(x[i] / scale));
  return !finite ? kNaN : zero ? 0 : scale;
}

// Row r of a state, against the exact sums at the level's own maximum.
void check_row(const Case& c, int r, State& state) {
  const int n = c.n_visible[r], head_dim = c.head_dim, n_blocks = head_dim / kKvBlock;
  std::vector<int> q(head_dim);
  std::vector<double> scale(n_blocks);
  for (int b = 0; b < n_blocks; ++b) {
    scale[b] = rounded(&c.q[static_cast<size_t>(r) * head_dim + b * kKvBlock], &q[b * kKvBlock]);
  }
  const double max = static_cast<double>(state.max[r]);
  double sum = 0, sum_tolerance = 0, best = -kInfinity, best_tolerance = 0;
  std::vector<double> out(head_dim), tolerance(head_dim);
  for (int t = 0; t < n; ++t) {
    const KvPageQ8<const uint8_t> page(c.pointers[t / kPageTokens], head_dim);
    const int slot = t % kPageTokens;
    double score = 0, score_size = 0;
    for (int b = 0; b < n_blocks; ++b) {
      int dot = 0;
      for (int d = b * kKvBlock; d < (b + 1) * kKvBlock; ++d) {
        dot += (page.keys[d / 4 * kKeyGroupBytes + 4 * slot + d % 4] - kKeyBias) * q[d];
      }
      const double term = static_cast<double>(half_to_float(page.key_scales[b * kPageTokens + slot])) * scale[b] * dot;
      score += term;
      score_size += std::abs(term);
    }
    // The scales' product, the dot as a float, their product and the additions.
    const double score_error = (3 + n_blocks) * kU * score_size;
    if (score > best) best = score;
    best_tolerance = std::max(best_tolerance, score_error);
    const double p = std::exp(score - max);
    // As in kernels_check.cpp: the score, the difference, exps of 2 ulp with a product a page, and the additions.
    const double relative = score_error + 2 * kU * std::abs(score - max) + (4 + 6.0 * c.n_pages + n) * kU;
    sum += p;
    sum_tolerance += p * relative;
    for (int d = 0; d < head_dim; ++d) {
      const double v_scale = static_cast<double>(half_to_float(page.value_scales[d / kKvBlock * kPageTokens + slot]));
      const double term = p * v_scale * page.values[slot * head_dim + d];
      out[d] += term;
      tolerance[d] += std::abs(term) * (relative + 2 * kU) + kTiny * 512;
    }
  }
  if (n == 0) {
    expect_true(max == -kInfinity && state.sum[r] == 0, "a row that sees nothing has a sum");
  } else if (!std::isnan(sum)) {
    expect(max, best, best_tolerance, "maximum");
  }
  expect(static_cast<double>(state.sum[r]), sum, sum_tolerance + n * kTiny, "sum");
  for (int d = 0; d < head_dim; ++d) {
    expect(static_cast<double>(state.out[static_cast<size_t>(r) * head_dim + d]), out[d], tolerance[d], "out");
  }
}

void check_attend(const Kernels& kernels, Random& random, int head_dim, bool hostile) {
  const Case c(random, head_dim, hostile);
  const std::unique_ptr<void, void (*)(void*)> scratch(::operator new(kScratchBytes, std::align_val_t(64)),
                                                       [](void* p) { ::operator delete(p, std::align_val_t(64)); });
  label = format("%s attend_q8, %d rows of %d, %d pages", kernels.name, c.n_rows, head_dim, c.n_pages);
  State all(c.n_rows, head_dim);
  kernels.attend_q8(c.attention(all, scratch.get()));
  expect_true(all.intact(), "written outside the state");
  for (int r = 0; r < c.n_rows; ++r) check_row(c, r, all);

  const int r = random.below(c.n_rows);
  State alone(1, head_dim);
  AttentionQ8 one = c.attention(alone, scratch.get());
  one.q += static_cast<size_t>(r) * head_dim;
  one.n_visible += r;
  one.n_rows = 1;
  kernels.attend_q8(one);
  expect_true(same_bits(alone.max.data(), &all.max[r], 1) && same_bits(alone.sum.data(), &all.sum[r], 1) &&
                  same_bits(alone.out.data(), &all.out[static_cast<size_t>(r) * head_dim], head_dim),
              "a row by itself gives other bits");
}

// --------------------------------------------------------------------------------------------------- rotating

void check_hadamard(const Kernels& kernels, Random& random, int n) {
  label = format("%s hadamard, %d values", kernels.name, n);
  const int length = n & -n;
  const std::vector<float> x = floats(random, static_cast<size_t>(n), kTame);
  Guarded<float> got(n);
  std::copy(x.begin(), x.end(), got.data());
  kernels.hadamard(got.data(), n);
  expect_true(got.intact(), "written outside the values");
  const double norm = 1 / std::sqrt(static_cast<double>(length));
  for (int i = 0; i < n; ++i) {
    const int first = i / length * length;
    double exact = 0, magnitude = 0;
    for (int j = 0; j < length; ++j) {
      int shared = (i - first) & j, odd = 0;
      for (; shared != 0; shared &= shared - 1) odd ^= 1;
      exact += (odd ? -norm : norm) * static_cast<double>(x[first + j]);
      magnitude += norm * std::abs(static_cast<double>(x[first + j]));
    }
    // An addition a stage, at most 9, the product and the factor, itself of two operations.
    expect(static_cast<double>(got[i]), exact, 12 * kU * magnitude, "value");
  }
}

void check_level(const Kernels& kernels) {
  Random random{7};
  for (int head_dim : {32, 64, 96, 128, 160, 256, 512}) {
    for (int i = 0; i < 60; ++i) check_store(kernels, random, head_dim);
    for (int i = 0; i < 12; ++i) check_attend(kernels, random, head_dim, i % 4 == 3);
    check_hadamard(kernels, random, head_dim);
  }
}

}  // namespace
}  // namespace nt::cpu

int main() {
  const nt::cpu::Kernels* levels[8];
  const int n = nt::cpu::all_kernels(levels);
  for (int l = 0; l < n; ++l) nt::cpu::check_level(*levels[l]);
  return test::result();
}
