// NEON: quantising, norms, activations and attention.
//
// Kernels only: internal linkage, no standard containers or functions (see cmake/isa.cmake).
#if defined(__aarch64__)

#include "cpu/kernels_neon.h"

namespace nt::cpu {
namespace {

constexpr uint32_t kInfinityBits = 0x7f800000;

// eˣ within 2 ulp, subnormal results included; ∞ above 88.72…, 0 below −103.97…, NaN for NaN.
NT_INLINE float32x4_t exp4(float32x4_t x) {
  x = vminq_f32(vdupq_n_f32(89), vmaxq_f32(vdupq_n_f32(-104), x));
  const float32x4_t n = vrndnq_f32(vmulq_n_f32(x, 1.44269504f));
  // ln 2 in two parts, the first of 15 bits, so that n times it is exact.
  float32x4_t r = vfmsq_n_f32(x, n, 0.693145752f);
  r = vfmsq_n_f32(r, n, 1.42860677e-6f);
  // Taylor's series: |r| ≤ ln 2 / 2, so that what is left out is below r⁸/8! < 6·10⁻⁹.
  constexpr float kTaylor[] = {1.0f / 5040, 1.0f / 720, 1.0f / 120, 1.0f / 24, 1.0f / 6, 0.5f, 1, 1};
  float32x4_t p = vdupq_n_f32(kTaylor[0]);
  NT_UNROLL
  for (int i = 1; i < 8; ++i) p = vfmaq_f32(vdupq_n_f32(kTaylor[i]), p, r);
  // Times 2ⁿ in two steps, since n may be 128 or −150.
  const int32x4_t exponent = vcvtq_s32_f32(n), half = vshrq_n_s32(exponent, 1), bias = vdupq_n_s32(127);
  const int32x4_t first = vshlq_n_s32(vaddq_s32(half, bias), 23);
  const int32x4_t second = vshlq_n_s32(vaddq_s32(vsubq_s32(exponent, half), bias), 23);
  return vmulq_f32(vmulq_f32(p, vreinterpretq_f32_s32(first)), vreinterpretq_f32_s32(second));
}

NT_INLINE float exp1(float x) { return vgetq_lane_f32(exp4(vdupq_n_f32(x)), 0); }

// --------------------------------------------------------------------------------------------------- quantising

// The bits of the largest absolute value of n floats, n a multiple of 32.
uint32_t max_bits(const float* x, int n) {
  const uint32x4_t mask = vdupq_n_u32(0x7fffffff);
  uint32x4_t max[4] = {};
  for (int i = 0; i < n; i += 16) {
    NT_UNROLL
    for (int j = 0; j < 4; ++j) {
      max[j] = vmaxq_u32(max[j], vandq_u32(vreinterpretq_u32_f32(vld1q_f32(x + i + 4 * j)), mask));
    }
  }
  return vmaxvq_u32(vmaxq_u32(vmaxq_u32(max[0], max[1]), vmaxq_u32(max[2], max[3])));
}

// 16 values divided by the scale, to the nearest even.
NT_INLINE int8x16_t quantize16(const float* x, float scale) {
  int32x4_t wide[4];
  NT_UNROLL
  for (int i = 0; i < 4; ++i) wide[i] = vcvtnq_s32_f32(vdivq_f32(vld1q_f32(x + 4 * i), vdupq_n_f32(scale)));
  const int16x8_t low = vcombine_s16(vmovn_s32(wide[0]), vmovn_s32(wide[1]));
  const int16x8_t high = vcombine_s16(vmovn_s32(wide[2]), vmovn_s32(wide[3]));
  return vcombine_s8(vmovn_s16(low), vmovn_s16(high));
}

// Values 32j … 32j + 31 of a chunk, with the scale of their block; x may be null where the scale is 0 or NaN.
void quantize32(const float* x, float scale, int j, ActivationChunk* out) {
  for (int i = 0; i < 2; ++i) {
    const int8x16_t q = scale > 0 ? quantize16(x + 16 * i, scale) : vdupq_n_s8(0);
    vst1q_s8(out->q + 32 * j + 16 * i, q);
    out->sum16[2 * j + i] = vaddlvq_s8(q);
    const int32x4_t fours = vpaddlq_s16(vpaddlq_s8(q));
    vst1_s32(out->bias32[2 * j + i], vmul_n_s32(vadd_s32(vget_low_s32(fours), vget_high_s32(fours)), -32));
  }
  out->scale[j] = scale;
  out->sum32[j] = static_cast<int16_t>(out->sum16[2 * j] + out->sum16[2 * j + 1]);
  out->sum32f[j] = out->sum32[j];
}

float scale_for(uint32_t bits) {
  constexpr uint32_t kLeastNormal = 0x00800000, kNaNBits = 0x7fc00000;
  if (bits >= kInfinityBits) bits = kNaNBits;
  float max, scale;
  std::memcpy(&max, &bits, 4);
  scale = max / 127;
  std::memcpy(&bits, &scale, 4);
  return bits < kLeastNormal ? 0 : scale;
}

void quantize(const float* x, int n, int block, ActivationChunk* out, size_t chunk_stride) {
  for (int i = 0; i < n; i += kChunk, out += chunk_stride) {
    const int left = smaller(kChunk, n - i);
    const float whole = block == kChunk ? scale_for(max_bits(x + i, left)) : 0;
    for (int j = 0; j < 8; ++j) {
      const bool empty = 32 * j >= left;
      const float* part = empty ? nullptr : x + i + 32 * j;
      const float scale = block == kChunk ? whole : empty ? 0 : scale_for(max_bits(part, 32));
      quantize32(part, empty ? 0 : scale, j, out);
      out->scale[j] = scale;
    }
  }
}

// ------------------------------------------------------------------------------------------------------ vectors

void rms_norm(const float* x, const float* weight, int n, float eps, float* out) {
  float64x2_t sum[4] = {};
  int i = 0;
  for (; i + 8 <= n; i += 8) {
    NT_UNROLL
    for (int j = 0; j < 2; ++j) {
      const float32x4_t v = vld1q_f32(x + i + 4 * j);
      const float64x2_t low = vcvt_f64_f32(vget_low_f32(v)), high = vcvt_high_f64_f32(v);
      sum[2 * j] = vfmaq_f64(sum[2 * j], low, low);
      sum[2 * j + 1] = vfmaq_f64(sum[2 * j + 1], high, high);
    }
  }
  double total = vaddvq_f64(vaddq_f64(vaddq_f64(sum[0], sum[1]), vaddq_f64(sum[2], sum[3])));
  for (; i < n; ++i) total += static_cast<double>(x[i]) * x[i];
  const float64x1_t mean = vdup_n_f64(total / n + eps);
  const float inverse = static_cast<float>(1 / vget_lane_f64(vsqrt_f64(mean), 0));
  for (i = 0; i + 4 <= n; i += 4) {
    vst1q_f32(out + i, vmulq_f32(vmulq_n_f32(vld1q_f32(x + i), inverse), vld1q_f32(weight + i)));
  }
  for (; i < n; ++i) out[i] = x[i] * inverse * weight[i];
}

void rope(float* x, int n_heads, int head_dim, const float* cos, const float* sin, int n_pairs) {
  for (int h = 0; h < n_heads; ++h) {
    float* pair = x + static_cast<size_t>(h) * head_dim;
    int i = 0;
    for (; i + 4 <= n_pairs; i += 4, pair += 8) {
      const float32x4_t c = vld1q_f32(cos + i), s = vld1q_f32(sin + i);
      const float32x4x2_t v = vld2q_f32(pair);
      float32x4x2_t rotated;
      rotated.val[0] = vfmsq_f32(vmulq_f32(v.val[0], c), v.val[1], s);
      rotated.val[1] = vfmaq_f32(vmulq_f32(v.val[0], s), v.val[1], c);
      vst2q_f32(pair, rotated);
    }
    for (; i < n_pairs; ++i, pair += 2) {
      const float x0 = pair[0], x1 = pair[1];
      pair[0] = x0 * cos[i] - x1 * sin[i];
      pair[1] = x0 * sin[i] + x1 * cos[i];
    }
  }
}

NT_INLINE float32x4_t swiglu4(float32x4_t gate, float32x4_t up) {
  const float32x4_t e = exp4(vnegq_f32(gate));
  return vmulq_f32(vdivq_f32(gate, vaddq_f32(vdupq_n_f32(1), e)), up);
}

void swiglu(const float* gate, const float* up, size_t n, float* out) {
  size_t i = 0;
  for (; i + 4 <= n; i += 4) vst1q_f32(out + i, swiglu4(vld1q_f32(gate + i), vld1q_f32(up + i)));
  if (i < n) {
    float last_gate[4] = {}, last_up[4] = {}, result[4];
    std::memcpy(last_gate, gate + i, (n - i) * sizeof(float));
    std::memcpy(last_up, up + i, (n - i) * sizeof(float));
    vst1q_f32(result, swiglu4(vld1q_f32(last_gate), vld1q_f32(last_up)));
    std::memcpy(out + i, result, (n - i) * sizeof(float));
  }
}

void add(float* x, const float* y, size_t n) {
  size_t i = 0;
  for (; i + 4 <= n; i += 4) vst1q_f32(x + i, vaddq_f32(vld1q_f32(x + i), vld1q_f32(y + i)));
  for (; i < n; ++i) x[i] += y[i];
}

// ---------------------------------------------------------------------------------------------------- attention

// 8 halves as floats.
NT_INLINE void load_halves(const uint16_t* p, float32x4_t* out) {
  const float16x8_t h = vreinterpretq_f16_u16(vld1q_u16(p));
  out[0] = vcvt_f32_f16(vget_low_f16(h));
  out[1] = vcvt_high_f32_f16(h);
}

NT_INLINE uint16x4_t to_halves(float32x4_t x) { return vreinterpret_u16_f16(vcvt_f16_f32(x)); }

NT_INLINE uint16_t to_half(float x) { return vget_lane_u16(to_halves(vdupq_n_f32(x)), 0); }

void store_kv(const float* k, const float* v, int head_dim, uint16_t* page, int slot) {
  uint16_t* values = page + static_cast<size_t>(kPageTokens) * head_dim + static_cast<size_t>(slot) * head_dim;
  uint16_t* key = page + slot;
  int d = 0;
  for (; d + 4 <= head_dim; d += 4) {
    const uint16x4_t h = to_halves(vld1q_f32(k + d));
    vst1_lane_u16(key + d * kPageTokens, h, 0);
    vst1_lane_u16(key + (d + 1) * kPageTokens, h, 1);
    vst1_lane_u16(key + (d + 2) * kPageTokens, h, 2);
    vst1_lane_u16(key + (d + 3) * kPageTokens, h, 3);
    vst1_u16(values + d, to_halves(vld1q_f32(v + d)));
  }
  for (; d < head_dim; ++d) {
    key[d * kPageTokens] = to_half(k[d]);
    values[d] = to_half(v[d]);
  }
}

// Scores of the first n tokens of a page, rounded up to 16, for R queries.
template <int R>
void score_page(const float* q, int head_dim, const uint16_t* keys, int n, float (*score)[kPageTokens]) {
  for (int t = 0; t < n; t += 16) {
    float32x4_t sum[R][4];
    NT_UNROLL
    for (int r = 0; r < R; ++r) {
      NT_UNROLL
      for (int i = 0; i < 4; ++i) sum[r][i] = vdupq_n_f32(0);
    }
    for (int d = 0; d < head_dim; ++d) {
      float32x4_t k[4];
      load_halves(keys + d * kPageTokens + t, k);
      load_halves(keys + d * kPageTokens + t + 8, k + 2);
      NT_UNROLL
      for (int r = 0; r < R; ++r) {
        const float x = q[static_cast<size_t>(r) * head_dim + d];
        NT_UNROLL
        for (int i = 0; i < 4; ++i) sum[r][i] = vfmaq_n_f32(sum[r][i], k[i], x);
      }
    }
    NT_UNROLL
    for (int r = 0; r < R; ++r) {
      NT_UNROLL
      for (int i = 0; i < 4; ++i) vst1q_f32(score[r] + t + 4 * i, sum[r][i]);
    }
  }
}

// All ones in the lanes of the first n of the four tokens that begin with token t.
NT_INLINE uint32x4_t seen(int t, int n) {
  constexpr int32_t kLanes[4] = {0, 1, 2, 3};
  return vcgtq_s32(vdupq_n_s32(n - t), vld1q_s32(kLanes));
}

// Turns the first n scores (1 or more) into exp(score − max), the maximum into the one that includes them, and adds to
// the sum. Returns the factor for what was added up before.
float soften(float* score, int n, float* max, float* sum) {
  // Of a number and a NaN, vmaxnm is the number.
  float32x4_t most = vdupq_n_f32(*max);
  for (int t = 0; t < n; t += 4) most = vmaxnmq_f32(most, vbslq_f32(seen(t, n), vld1q_f32(score + t), most));
  const float new_max = vmaxnmvq_f32(most), rescale = exp1(*max - new_max);
  float32x4_t total = vdupq_n_f32(0);
  for (int t = 0; t < n; t += 4) {
    const float32x4_t e = exp4(vsubq_f32(vld1q_f32(score + t), vdupq_n_f32(new_max)));
    const float32x4_t p = vreinterpretq_f32_u32(vandq_u32(vreinterpretq_u32_f32(e), seen(t, n)));
    vst1q_f32(score + t, p);
    total = vaddq_f32(total, p);
  }
  *max = new_max;
  *sum = *sum * rescale + vaddvq_f32(total);
  return rescale;
}

// Adds the values of tokens first … last − 1, weighted by p, to R rows. A row's additions are in the order of tokens,
// whatever the ranges.
template <int R>
void add_values(const float (*p)[kPageTokens], const uint16_t* values, int head_dim, int first, int last, float* out) {
  const auto row = [&](int r) { return out + static_cast<size_t>(r) * head_dim; };
  int d = 0;
  for (; d + 16 <= head_dim; d += 16) {
    float32x4_t sum[R][4];
    NT_UNROLL
    for (int r = 0; r < R; ++r) {
      NT_UNROLL
      for (int i = 0; i < 4; ++i) sum[r][i] = vld1q_f32(row(r) + d + 4 * i);
    }
    for (int t = first; t < last; ++t) {
      float32x4_t v[4];
      load_halves(values + t * head_dim + d, v);
      load_halves(values + t * head_dim + d + 8, v + 2);
      NT_UNROLL
      for (int r = 0; r < R; ++r) {
        NT_UNROLL
        for (int i = 0; i < 4; ++i) sum[r][i] = vfmaq_n_f32(sum[r][i], v[i], p[r][t]);
      }
    }
    NT_UNROLL
    for (int r = 0; r < R; ++r) {
      NT_UNROLL
      for (int i = 0; i < 4; ++i) vst1q_f32(row(r) + d + 4 * i, sum[r][i]);
    }
  }
  for (; d < head_dim; ++d) {
    for (int r = 0; r < R; ++r) {
      for (int t = first; t < last; ++t) row(r)[d] += p[r][t] * half_to_float(values[t * head_dim + d]);
    }
  }
}

void scale_values(float* out, int n, float factor) {
  int d = 0;
  for (; d + 4 <= n; d += 4) vst1q_f32(out + d, vmulq_n_f32(vld1q_f32(out + d), factor));
  for (; d < n; ++d) out[d] *= factor;
}

// Rows row … row + R − 1 over one page, of which row + i sees the first n[i] tokens.
template <int R>
void attend_page(const Attention& a, int row, const uint16_t* page, const int* n) {
  float score[R][kPageTokens];
  int least = n[0], most = n[0];
  for (int i = 1; i < R; ++i) {
    least = smaller(least, n[i]);
    most = n[i] > most ? n[i] : most;
  }
  const uint16_t* values = page + static_cast<size_t>(kPageTokens) * a.head_dim;
  float* out = a.state.out + static_cast<size_t>(row) * a.head_dim;
  score_page<R>(a.q + static_cast<size_t>(row) * a.head_dim, a.head_dim, page, most, score);
  for (int i = 0; i < R; ++i) {
    if (n[i] == 0) continue;
    const float rescale = soften(score[i], n[i], a.state.max + row + i, a.state.sum + row + i);
    scale_values(out + static_cast<size_t>(i) * a.head_dim, a.head_dim, rescale);
  }
  add_values<R>(score, values, a.head_dim, 0, least, out);
  // A token that a row does not see may hold anything, NaN too, so that weighing it with 0 would not do.
  for (int i = 0; i < R; ++i) {
    add_values<1>(score + i, values, a.head_dim, least, n[i], out + static_cast<size_t>(i) * a.head_dim);
  }
}

template <int R>
void attend_rows(const Attention& a, int row) {
  int most = 0;
  for (int i = 0; i < R; ++i) most = a.n_visible[row + i] > most ? a.n_visible[row + i] : most;
  for (int p = 0; p < a.n_pages && p * kPageTokens < most; ++p) {
    int n[R];
    for (int i = 0; i < R; ++i) {
      const int left = smaller(kPageTokens, a.n_visible[row + i] - p * kPageTokens);
      n[i] = left > 0 ? left : 0;
    }
    attend_page<R>(a, row, a.pages[p], n);
  }
}

void attend(const Attention& a) {
  float infinity;
  std::memcpy(&infinity, &kInfinityBits, 4);
  for (int r = 0; r < a.n_rows; ++r) {
    a.state.max[r] = -infinity;
    a.state.sum[r] = 0;
  }
  std::memset(a.state.out, 0, static_cast<size_t>(a.n_rows) * a.head_dim * sizeof(float));
  int r = 0;
  for (; r + 4 <= a.n_rows; r += 4) attend_rows<4>(a, r);
  if (a.n_rows - r == 3) attend_rows<3>(a, r);
  if (a.n_rows - r == 2) attend_rows<2>(a, r);
  if (a.n_rows - r == 1) attend_rows<1>(a, r);
}

void merge_attention(const AttentionState& into, const AttentionState& later, int n_rows, int head_dim) {
  for (int r = 0; r < n_rows; ++r) {
    if (later.sum[r] == 0) continue;  // saw nothing
    const float max = into.max[r] > later.max[r] ? into.max[r] : later.max[r];
    const float f = into.sum[r] == 0 ? 0 : exp1(into.max[r] - max), g = exp1(later.max[r] - max);
    into.max[r] = max;
    into.sum[r] = into.sum[r] * f + later.sum[r] * g;
    float* out = into.out + static_cast<size_t>(r) * head_dim;
    const float* more = later.out + static_cast<size_t>(r) * head_dim;
    int d = 0;
    for (; d + 4 <= head_dim; d += 4) {
      vst1q_f32(out + d, vfmaq_n_f32(vmulq_n_f32(vld1q_f32(out + d), f), vld1q_f32(more + d), g));
    }
    for (; d < head_dim; ++d) out[d] = out[d] * f + more[d] * g;
  }
}

// ---------------------------------------------------------------------------------------------------- measuring

uint64_t read_bytes(const void* p, size_t bytes, int) {
  const auto* data = static_cast<const uint8_t*>(p);
  uint64x2_t sum[4] = {};
  for (size_t i = 0; i < bytes; i += 64) {
    NT_UNROLL
    for (int j = 0; j < 4; ++j) sum[j] = vaddq_u64(sum[j], vreinterpretq_u64_u8(vld1q_u8(data + i + 16 * j)));
  }
  return vaddvq_u64(vaddq_u64(vaddq_u64(sum[0], sum[1]), vaddq_u64(sum[2], sum[3])));
}

}  // namespace

void init_neon_vectors(Kernels& k) {
  k.quantize = quantize;
  k.rms_norm = rms_norm;
  k.rope = rope;
  k.swiglu = swiglu;
  k.add = add;
  k.store_kv = store_kv;
  k.attend = attend;
  k.merge_attention = merge_attention;
  k.read_bytes = read_bytes;
}

}  // namespace nt::cpu

#endif
