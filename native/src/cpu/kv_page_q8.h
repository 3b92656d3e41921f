// A page of one KV head in Q8_0: 64 tokens' keys and values as int8, and a scale in F16 for every 32 of a token's
// values, 34 bytes for 32 values in all. x = scale · q.
//
// The keys lie as a dot instruction wants them: 64 bytes hold 4 consecutive values of 16 tokens, biased by 128, since
// it multiplies unsigned bytes with signed ones. Values lie token by token.
#pragma once

#include <cstring>
#include <type_traits>

#include "cpu/kernels.h"
#include "quant/block.h"

namespace nt::cpu {

constexpr int kKvBlock = 32;                     // values that share a scale
constexpr int kKeyBias = 128;                    // of the keys' bytes
constexpr int kKeyGroupBytes = 4 * kPageTokens;  // 4 values of every token

NT_INLINE size_t kv_values(int head_dim) { return static_cast<size_t>(kPageTokens) * static_cast<size_t>(head_dim); }

NT_INLINE size_t kv_page_q8_bytes(int head_dim) {
  return 2 * (kv_values(head_dim) + kv_values(head_dim) / kKvBlock * sizeof(uint16_t));
}

template <typename Byte>  // uint8_t or const uint8_t
struct KvPageQ8 {
  template <typename T>
  using Like = std::conditional_t<std::is_const_v<Byte>, const T, T>;

  NT_INLINE KvPageQ8(Byte* page, int head_dim)
      : keys(page),
        values(reinterpret_cast<Like<int8_t>*>(page + kv_values(head_dim))),
        key_scales(reinterpret_cast<Like<uint16_t>*>(page + 2 * kv_values(head_dim))),
        value_scales(key_scales + kv_values(head_dim) / kKvBlock) {}

  Byte* keys;                    // (head_dim / 4, 64, 4): q + 128
  Like<int8_t>* values;          // (64, head_dim)
  Like<uint16_t>* key_scales;    // (head_dim / 32, 64)
  Like<uint16_t>* value_scales;  // (head_dim / 32, 64)
};

// 32 values of a query: x = scale · q, |q| ≤ kQueryMax. Both halves of q = 128 · high + low fit into signed bytes.
constexpr int kQueryMax = 127 * 128;
struct QueryBlock {
  int8_t high[kKvBlock], low[kKvBlock];
  float scale;
  int32_t bias;  // what the keys' bias adds to a dot
};

NT_INLINE int query_value(const QueryBlock& b, int i) { return 128 * b.high[i] + b.low[i]; }

// Quantises n_rows queries into (n_rows, head_dim / 32) blocks. No level does it better: a call's pages are much more
// work.
NT_INLINE void quantize_queries(const AttentionQ8& a, QueryBlock* out) {
  const float* x = a.q;
  for (int i = 0; i < a.n_rows * (a.head_dim / kKvBlock); ++i, x += kKvBlock) {
    // Floats without their sign order as their bits do, NaN above infinity.
    uint32_t max_bits = 0, u;
    for (int j = 0; j < kKvBlock; ++j) {
      std::memcpy(&u, x + j, 4);
      u &= 0x7fffffff;
      max_bits = u > max_bits ? u : max_bits;
    }
    float max;
    std::memcpy(&max, &max_bits, 4);
    const float scale = max / kQueryMax;
    const bool finite = max_bits < 0x7f800000, zero = !finite || scale < 1.17549435e-38f;
    out[i].scale = !finite ? max - max : zero ? 0 : scale;  // infinity − infinity and NaN are NaN
    int sum = 0;
    for (int j = 0; j < kKvBlock; ++j) {
      constexpr float kMagic = 12582912.0f;  // 1.5 · 2²³: adding it rounds to an integer, ties to even
      const int q = zero ? 0 : static_cast<int>((x[j] / scale + kMagic) - kMagic);
      const int high = (q + 64 + kQueryMax + 128) / 128 - 128;
      out[i].high[j] = static_cast<int8_t>(high);
      out[i].low[j] = static_cast<int8_t>(q - 128 * high);
      sum += q;
    }
    out[i].bias = kKeyBias * sum;
  }
}

static_assert(512 * 512 / kKvBlock * sizeof(QueryBlock) <= kScratchBytes);

}  // namespace nt::cpu
