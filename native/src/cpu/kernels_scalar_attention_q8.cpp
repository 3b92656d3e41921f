// The scalar kernels of a KV cache in Q8_0.
#include <cmath>
#include <limits>

#include "cpu/kv_page_q8.h"
#include "cpu/tile.h"

namespace nt::cpu {

void init_scalar_attention_q8(Kernels& k);  // for kernels_scalar.cpp

namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr uint16_t kHalfNaN = 0x7e00, kHalfInfinity = 0x7c00;

// x, not negative, rounded up.
uint16_t half_above(float x) {
  uint32_t u;
  std::memcpy(&u, &x, 4);
  if (u > 0x477fe000) return kHalfInfinity;                                              // 65504
  if (u >= 0x38800000) return static_cast<uint16_t>((u - (112u << 23) + 0x1fff) >> 13);  // 2⁻¹⁴
  const float steps = x * 0x1p24f;
  const auto whole = static_cast<uint16_t>(steps);
  return static_cast<uint16_t>(whole + (static_cast<float>(whole) < steps));
}

// To the nearest integer, ties to even, for |x| < 2²²: the sum's last bit is worth 1.
float round_to_even(float x) {
  constexpr float kMagic = 12582912.0f;  // 1.5 · 2²³
  return (x + kMagic) - kMagic;
}

// Quantises a block. Returns the scale.
uint16_t quantize_block(const float* x, int8_t* q) {
  float max = 0;
  bool finite = true;
  for (int i = 0; i < kKvBlock; ++i) {
    finite = finite && std::isfinite(x[i]);
    if (std::fabs(x[i]) > max) max = std::fabs(x[i]);
  }
  std::memset(q, 0, kKvBlock);
  const uint16_t half = finite ? half_above(max / 127) : kHalfInfinity;
  if (half == kHalfInfinity) return kHalfNaN;
  if (half == 0) return 0;
  const float scale = half_to_float(half);
  for (int i = 0; i < kKvBlock; ++i) q[i] = static_cast<int8_t>(round_to_even(x[i] / scale));
  return half;
}

void store_kv_q8(const float* k, const float* v, int head_dim, uint8_t* page, int slot) {
  const KvPageQ8<uint8_t> to(page, head_dim);
  for (int b = 0; b < head_dim / kKvBlock; ++b) {
    int8_t q[kKvBlock];
    to.key_scales[b * kPageTokens + slot] = quantize_block(k + b * kKvBlock, q);
    for (int i = 0; i < kKvBlock; ++i) {
      const int d = b * kKvBlock + i;
      to.keys[d / 4 * kKeyGroupBytes + 4 * slot + d % 4] = static_cast<uint8_t>(q[i] + kKeyBias);
    }
    to.value_scales[b * kPageTokens + slot] =
        quantize_block(v + b * kKvBlock, to.values + static_cast<size_t>(slot) * head_dim + b * kKvBlock);
  }
}

// The score of token t for one query.
float score(const QueryBlock* q, int n_blocks, const KvPageQ8<const uint8_t>& page, int t) {
  float sum = 0;
  for (int b = 0; b < n_blocks; ++b) {
    int dot = -q[b].bias;
    for (int i = 0; i < kKvBlock; ++i) {
      const int d = b * kKvBlock + i;
      dot += page.keys[d / 4 * kKeyGroupBytes + 4 * t + d % 4] * query_value(q[b], i);
    }
    sum += half_to_float(page.key_scales[b * kPageTokens + t]) * q[b].scale * static_cast<float>(dot);
  }
  return sum;
}

// Adds the first n tokens of a page to row r's state.
void attend_page(const AttentionQ8& a, int r, const QueryBlock* q, const uint8_t* bytes, int n) {
  const KvPageQ8<const uint8_t> page(bytes, a.head_dim);
  float* out = a.state.out + static_cast<size_t>(r) * a.head_dim;
  float scores[kPageTokens];
  float max = a.state.max[r];
  for (int t = 0; t < n; ++t) {
    scores[t] = score(q, a.head_dim / kKvBlock, page, t);
    if (scores[t] > max) max = scores[t];
  }
  const float rescale = std::exp(a.state.max[r] - max);
  float sum = a.state.sum[r] * rescale;
  for (int d = 0; d < a.head_dim; ++d) out[d] *= rescale;
  for (int t = 0; t < n; ++t) {
    const float p = std::exp(scores[t] - max);
    sum += p;
    const int8_t* v = page.values + static_cast<size_t>(t) * a.head_dim;
    for (int b = 0; b < a.head_dim / kKvBlock; ++b) {
      const float weight = p * half_to_float(page.value_scales[b * kPageTokens + t]);
      for (int d = b * kKvBlock; d < (b + 1) * kKvBlock; ++d) out[d] += weight * static_cast<float>(v[d]);
    }
  }
  a.state.max[r] = max;
  a.state.sum[r] = sum;
}

void attend_q8(const AttentionQ8& a) {
  auto* queries = static_cast<QueryBlock*>(a.scratch);
  quantize_queries(a, queries);
  for (int r = 0; r < a.n_rows; ++r) {
    a.state.max[r] = -kInfinity;
    a.state.sum[r] = 0;
    std::memset(a.state.out + static_cast<size_t>(r) * a.head_dim, 0, a.head_dim * sizeof(float));
    const int n = smaller(a.n_visible[r], a.n_pages * kPageTokens);
    const QueryBlock* q = queries + static_cast<size_t>(r) * (a.head_dim / kKvBlock);
    for (int t = 0; t < n; t += kPageTokens)
      attend_page(a, r, q, a.pages[t / kPageTokens], smaller(kPageTokens, n - t));
  }
}

void hadamard(float* x, int n) {
  const int length = n & -n;  // the largest power of two that divides n
  const float norm = 1 / std::sqrt(static_cast<float>(length));
  for (float* run = x; run < x + n; run += length) {
    for (int half = 1; half < length; half *= 2) {
      for (int i = 0; i < length; i += 2 * half) {
        for (int j = i; j < i + half; ++j) {
          const float a = run[j], b = run[j + half];
          run[j] = a + b;
          run[j + half] = a - b;
        }
      }
    }
    for (int i = 0; i < length; ++i) run[i] *= norm;
  }
}

}  // namespace

void init_scalar_attention_q8(Kernels& k) {
  k.hadamard = hadamard;
  k.store_kv_q8 = store_kv_q8;
  k.attend_q8 = attend_q8;
}

}  // namespace nt::cpu
