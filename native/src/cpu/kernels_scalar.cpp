// The scalar kernels: portable, and the specification of every other level.
//
// What every level keeps of a quantised product, out(c, r) = Σ over the chunks of 256 values, in order:
//   dot     Σ q·a over a sub-block of weights that share a scale: exact, in integers, without the format's bias
//   term    scale·dot, or scale·dot − min·Σa where the format has mins, in F32; Σa is the activations' stored sum
//   chunk   with an activation scale for every 32 values: Σ term·activation scale, over the sub-blocks in order;
//           with one for the chunk: (Σ term)·activation scale
// A level may fuse a multiplication with the addition after it, so that levels differ by rounding alone. A product with
// float activations adds up a chunk in the order of its values, and then the chunks in order.
//
// No other row, column or call has a part in a result. An infinity or NaN among a row's scales or a column's
// activations makes that row's or column's results infinite or NaN, and no others.
#include <cmath>
#include <limits>
#include <new>

#include "cpu/kernels.h"
#include "cpu/tile.h"

namespace nt::cpu {

void init_scalar_attention_q8(Kernels& k);  // kernels_scalar_attention_q8.cpp
void init_scalar_sampling(Kernels& k);      // sampling_scalar.cpp

namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

void clear_out(const Matmul& m) {
  for (int c = 0; c < m.n_cols; ++c) std::memset(m.out + c * m.out_stride, 0, m.n_rows * sizeof(float));
}

// Adds the products of n values of a tile with one column's chunk to 16 sums.
template <class F>
void multiply_chunk(const Tile& tile, const ActivationChunk& a, int n, float* out) {
  constexpr bool kScaleEach32 = kActivationBlock<F> == 32;
  float sum[kTileRows] = {};
  for (int s = 0; s < n / F::kSub; ++s) {
    int dot[kTileRows] = {};
    for (int g = s * F::kSub / 4; g < (s + 1) * F::kSub / 4; ++g) {
      for (int r = 0; r < kTileRows; ++r) {
        for (int i = 0; i < 4; ++i) dot[r] += tile.q[g][r][i] * a.q[4 * g + i];
      }
    }
    const int total = F::kSub == 32 ? a.sum32[s] : a.sum16[s];
    for (int r = 0; r < kTileRows; ++r) {
      float term = tile.scale[s][r] * static_cast<float>(dot[r] - F::kBias * total);
      if constexpr (F::kHasMin) term -= tile.min[s][r] * static_cast<float>(total);
      if constexpr (kScaleEach32) term *= a.scale[s];
      sum[r] += term;
    }
  }
  for (int r = 0; r < kTileRows; ++r) out[r] += kScaleEach32 ? sum[r] : sum[r] * a.scale[0];
}

template <class F>
void matmul(const Matmul& m) {
  Tile* tile = new (m.scratch) Tile;
  clear_out(m);
  for (int row = 0; row < m.n_rows; row += kTileRows) {
    const int n_rows = smaller(kTileRows, m.n_rows - row);
    for (int i = 0; i < n_chunks(m.n_values); ++i) {
      unpack_tile<F>(m, row, n_rows, i, tile);
      for (int c = 0; c < m.n_cols; ++c) {
        float sum[kTileRows] = {};
        float* out = m.out + c * m.out_stride + row;
        std::memcpy(sum, out, n_rows * sizeof(float));
        multiply_chunk<F>(*tile, m.q[i * m.q_stride + c], chunk_values(m.n_values, i), sum);
        std::memcpy(out, sum, n_rows * sizeof(float));
      }
    }
  }
}

template <class F>
void matmul_float(const Matmul& m) {
  FloatTile* tile = new (m.scratch) FloatTile;
  clear_out(m);
  for (int row = 0; row < m.n_rows; row += kTileRows) {
    const int n_rows = smaller(kTileRows, m.n_rows - row);
    for (int i = 0; i < n_chunks(m.n_values); ++i) {
      decode_tile<F>(m, row, n_rows, i, tile);
      for (int c = 0; c < m.n_cols; ++c) {
        const float* x = m.x + c * m.x_stride + i * kChunk;
        float sum[kTileRows] = {};
        for (int k = 0; k < chunk_values(m.n_values, i); ++k) {
          for (int r = 0; r < kTileRows; ++r) sum[r] += tile->w[k][r] * x[k];
        }
        float* out = m.out + c * m.out_stride + row;
        for (int r = 0; r < n_rows; ++r) out[r] += sum[r];
      }
    }
  }
}

template <class F>
void decode_values(const uint8_t* row, size_t n, float* out) {
  decode_row<F>(row, n, out);
}

// To the nearest integer, ties to even, for |x| < 2²²: the sum's last bit is worth 1.
float round_to_even(float x) {
  constexpr float kMagic = 12582912.0f;  // 1.5 · 2²³
  return (x + kMagic) - kMagic;
}

// Quantises n values and fills q up to n_padded. Returns the scale.
float quantize_block(const float* x, int n, int n_padded, int8_t* q) {
  uint32_t max_bits = 0;  // of the absolute values: floats order as their bits do, NaN above infinity
  for (int i = 0; i < n; ++i) {
    uint32_t u;
    std::memcpy(&u, x + i, 4);
    u &= 0x7fffffff;
    if (u > max_bits) max_bits = u;
  }
  float max;
  std::memcpy(&max, &max_bits, 4);
  const bool finite = max_bits < 0x7f800000;
  const float scale = max / 127;
  std::memset(q, 0, n_padded);
  if (!finite) return std::numeric_limits<float>::quiet_NaN();
  if (scale < std::numeric_limits<float>::min()) return 0;
  for (int i = 0; i < n; ++i) q[i] = static_cast<int8_t>(round_to_even(x[i] / scale));
  return scale;
}

void quantize_chunk(const float* x, int n, int block, ActivationChunk* out) {
  for (int b = 0; b < kChunk; b += block) {
    const int left = n > b ? smaller(block, n - b) : 0;
    const float scale = quantize_block(x + (left ? b : 0), left, block, out->q + b);
    for (int j = b / 32; j < (b + block) / 32; ++j) out->scale[j] = scale;
  }
  for (int j = 0; j < 16; ++j) {
    int sum = 0;
    out->bias32[j][0] = out->bias32[j][1] = 0;
    for (int i = 0; i < 16; ++i) {
      sum += out->q[16 * j + i];
      out->bias32[j][i / 4 % 2] -= 32 * out->q[16 * j + i];
    }
    out->sum16[j] = static_cast<int16_t>(sum);
  }
  for (int j = 0; j < 8; ++j) {
    out->sum32[j] = static_cast<int16_t>(out->sum16[2 * j] + out->sum16[2 * j + 1]);
    out->sum32f[j] = out->sum32[j];
  }
}

void quantize(const float* x, int n, int block, ActivationChunk* out, size_t chunk_stride) {
  for (int i = 0; i < n_chunks(n); ++i) {
    quantize_chunk(x + i * kChunk, chunk_values(n, i), block, out + i * chunk_stride);
  }
}

void rms_norm(const float* x, const float* weight, int n, float eps, float* out) {
  double sum = 0;
  for (int i = 0; i < n; ++i) sum += static_cast<double>(x[i]) * x[i];
  const float inverse = static_cast<float>(1 / std::sqrt(sum / n + eps));
  for (int i = 0; i < n; ++i) out[i] = x[i] * inverse * weight[i];
}

void rope(float* x, int n_heads, int head_dim, const float* cos, const float* sin, int n_pairs) {
  for (int h = 0; h < n_heads; ++h) {
    float* pair = x + static_cast<size_t>(h) * head_dim;
    for (int i = 0; i < n_pairs; ++i, pair += 2) {
      const float x0 = pair[0], x1 = pair[1];
      pair[0] = x0 * cos[i] - x1 * sin[i];
      pair[1] = x0 * sin[i] + x1 * cos[i];
    }
  }
}

void swiglu(const float* gate, const float* up, size_t n, float* out) {
  for (size_t i = 0; i < n; ++i) out[i] = gate[i] / (1 + std::exp(-gate[i])) * up[i];
}

void add(float* x, const float* y, size_t n) {
  for (size_t i = 0; i < n; ++i) x[i] += y[i];
}

uint16_t float_to_half(float x) {
  uint32_t u;
  std::memcpy(&u, &x, 4);
  const uint32_t sign = u >> 16 & 0x8000;
  u &= 0x7fffffff;
  if (u > 0x7f800000) return static_cast<uint16_t>(sign | 0x7e00 | (u >> 13 & 0x3ff));  // NaN stays NaN
  if (u >= 0x477ff000) return static_cast<uint16_t>(sign | 0x7c00);  // 65520 and above round to infinity
  if (u < 0x38800000) {
    // Below 2⁻¹⁴ halves are multiples of 2⁻²⁴, which is what the last bit of a float from 0.5 on is worth.
    float f;
    std::memcpy(&f, &u, 4);
    f += 0.5f;
    std::memcpy(&u, &f, 4);
    return static_cast<uint16_t>(sign | (u - 0x3f000000));
  }
  return static_cast<uint16_t>(sign | (u - (112u << 23) + 0xfff + (u >> 13 & 1)) >> 13);
}

void store_kv(const float* k, const float* v, int head_dim, uint16_t* page, int slot) {
  uint16_t* values = page + static_cast<size_t>(kPageTokens) * head_dim + static_cast<size_t>(slot) * head_dim;
  for (int d = 0; d < head_dim; ++d) {
    page[d * kPageTokens + slot] = float_to_half(k[d]);
    values[d] = float_to_half(v[d]);
  }
}

// Adds the first n tokens of a page to row r's state.
void attend_page(const Attention& a, int r, const uint16_t* page, int n) {
  const float* q = a.q + static_cast<size_t>(r) * a.head_dim;
  float* out = a.state.out + static_cast<size_t>(r) * a.head_dim;
  float score[kPageTokens];
  float max = a.state.max[r];
  for (int t = 0; t < n; ++t) {
    score[t] = 0;
    for (int d = 0; d < a.head_dim; ++d) score[t] += q[d] * half_to_float(page[d * kPageTokens + t]);
    if (score[t] > max) max = score[t];
  }
  const float rescale = std::exp(a.state.max[r] - max);
  float sum = a.state.sum[r] * rescale;
  for (int d = 0; d < a.head_dim; ++d) out[d] *= rescale;
  const uint16_t* v = page + static_cast<size_t>(kPageTokens) * a.head_dim;
  for (int t = 0; t < n; ++t, v += a.head_dim) {
    const float p = std::exp(score[t] - max);
    sum += p;
    for (int d = 0; d < a.head_dim; ++d) out[d] += p * half_to_float(v[d]);
  }
  a.state.max[r] = max;
  a.state.sum[r] = sum;
}

void attend(const Attention& a) {
  for (int r = 0; r < a.n_rows; ++r) {
    a.state.max[r] = -kInfinity;
    a.state.sum[r] = 0;
    std::memset(a.state.out + static_cast<size_t>(r) * a.head_dim, 0, a.head_dim * sizeof(float));
    const int n = smaller(a.n_visible[r], a.n_pages * kPageTokens);
    for (int t = 0; t < n; t += kPageTokens) attend_page(a, r, a.pages[t / kPageTokens], smaller(kPageTokens, n - t));
  }
}

void merge_attention(const AttentionState& into, const AttentionState& later, int n_rows, int head_dim) {
  for (int r = 0; r < n_rows; ++r) {
    if (later.sum[r] == 0) continue;  // saw nothing: else the sum is 1 or more, or NaN
    const float max = into.max[r] > later.max[r] ? into.max[r] : later.max[r];
    const float f = into.sum[r] == 0 ? 0 : std::exp(into.max[r] - max), g = std::exp(later.max[r] - max);
    into.max[r] = max;
    into.sum[r] = into.sum[r] * f + later.sum[r] * g;
    const size_t row = static_cast<size_t>(r) * head_dim;
    for (size_t d = row; d < row + head_dim; ++d) into.out[d] = into.out[d] * f + later.out[d] * g;
  }
}

uint64_t read_bytes(const void* p, size_t bytes, int) {
  uint64_t sum = 0;
  for (size_t i = 0; i < bytes; i += 8) {
    uint64_t word;
    std::memcpy(&word, static_cast<const uint8_t*>(p) + i, 8);
    sum += word;
  }
  return sum;
}

double dot_peak(int64_t rounds, uint64_t* sink) {
  constexpr int kLanes = 64;
  uint8_t q[kLanes];
  uint32_t sum[kLanes] = {};
  for (int i = 0; i < kLanes; ++i) q[i] = static_cast<uint8_t>(*sink + i);
  for (int64_t n = 0; n < rounds; ++n) {
    const int a = static_cast<int8_t>(n ^ 85);
    // The exclusive or keeps the compiler from finding a closed form.
    for (int i = 0; i < kLanes; ++i) sum[i] = (sum[i] ^ static_cast<uint32_t>(n)) + static_cast<uint32_t>(q[i] * a);
  }
  for (uint32_t s : sum) *sink += s;
  return static_cast<double>(rounds) * kLanes;
}

}  // namespace

void init_scalar(Kernels& k) {
  k = {};

#define X(format, id, values, bytes)    \
  k.decode[id] = decode_values<format>; \
  k.matmul_float[id] = matmul_float<format>;
  NT_FORMATS(X)
#undef X
#define X(format, id, values, bytes) k.matmul[id] = matmul<format>;
  NT_QUANTIZED_FORMATS(X)
#undef X
  k.quantize = quantize;
  k.rms_norm = rms_norm;
  k.rope = rope;
  k.swiglu = swiglu;
  k.add = add;
  k.store_kv = store_kv;
  k.attend = attend;
  k.merge_attention = merge_attention;
  init_scalar_attention_q8(k);
  init_scalar_sampling(k);
  k.read_bytes = read_bytes;
  k.dot_peak = dot_peak;
}

}  // namespace nt::cpu
