// NEON as every AArch64 CPU has it: matrix products and decoding.
//
// Kernels only: internal linkage, no standard containers or functions (see cmake/isa.cmake).
#if defined(__aarch64__)

#include "cpu/kernels_neon_matmul.h"

namespace nt::cpu {
namespace {

// What sdot does, from 16-bit products: |q| ≤ 128 and |a| ≤ 127, so that the sum of two of them fits.
struct Smull {
  static constexpr int kProducts = 16;
  static NT_INLINE int32x4_t run(int32x4_t sum, int8x16_t q, int8x16_t a) {
    const int16x8_t low = vmull_s8(vget_low_s8(q), vget_low_s8(a)), high = vmull_high_s8(q, a);
    return vpadalq_s16(sum, vpaddq_s16(low, high));
  }
  template <int kLane>
  static NT_INLINE int32x4_t run_lane(int32x4_t sum, int8x16_t q, int8x16_t a) {
    return run(sum, q, vreinterpretq_s8_s32(vdupq_laneq_s32(vreinterpretq_s32_s8(a), kLane)));
  }
};

// ----------------------------------------------------------------------------------------------- float products

template <class F>
void decode_values(const uint8_t* row, size_t n, float* out) {
  decode_row<F>(row, n, out);
}

template <>
void decode_values<F16>(const uint8_t* row, size_t n, float* out) {
  size_t i = 0;
  for (; i + 8 <= n; i += 8) {
    const float16x8_t h = vreinterpretq_f16_u8(vld1q_u8(row + 2 * i));
    vst1q_f32(out + i, vcvt_f32_f16(vget_low_f16(h)));
    vst1q_f32(out + i + 4, vcvt_high_f32_f16(h));
  }
  for (; i < n; ++i) out[i] = half_to_float(load_u16(row + 2 * i));
}

template <>
void decode_values<BF16>(const uint8_t* row, size_t n, float* out) {
  size_t i = 0;
  for (; i + 8 <= n; i += 8) {
    const uint16x8_t h = vreinterpretq_u16_u8(vld1q_u8(row + 2 * i));
    vst1q_f32(out + i, vreinterpretq_f32_u32(vshll_n_u16(vget_low_u16(h), 16)));
    vst1q_f32(out + i + 4, vreinterpretq_f32_u32(vshll_high_n_u16(h, 16)));
  }
  for (; i < n; ++i) out[i] = bfloat_to_float(load_u16(row + 2 * i));
}

template <>
void decode_values<F32>(const uint8_t* row, size_t n, float* out) {
  std::memcpy(out, row, n * sizeof(float));
}

struct alignas(64) FloatWorkspace {
  FloatTile tile;
  float rows[kTileRows][kChunk];
  float out[kColumns][kTileRows];
};
static_assert(sizeof(FloatWorkspace) <= kScratchBytes);

template <class F>
void decode_chunk(const Matmul& m, int row, int i, FloatWorkspace* w) {
  const int n = chunk_values(m.n_values, i);
  for (int r = 0; r < kTileRows; ++r) {
    const size_t index = smaller(row + r, m.n_rows - 1);  // rows that the matrix lacks repeat its last one
    decode_values<F>(m.rows + index * m.row_bytes + i * bytes_of<F>(kChunk), static_cast<size_t>(n), w->rows[r]);
  }
  for (int k = 0; k < n; k += 4) {  // the last may transpose what an earlier chunk left; nobody reads it
    for (int r = 0; r < kTileRows; r += 4) {
      uint8x16_t v[4], transposed[4];
      NT_UNROLL
      for (int j = 0; j < 4; ++j) v[j] = vreinterpretq_u8_f32(vld1q_f32(w->rows[r + j] + k));
      transpose4(v, transposed);
      NT_UNROLL
      for (int j = 0; j < 4; ++j) vst1q_f32(w->tile.w[k + j] + r, vreinterpretq_f32_u8(transposed[j]));
    }
  }
}

template <int C>
void multiply_floats(const FloatTile& tile, const float* x, size_t x_stride, int n, float (*out)[kTileRows]) {
  float32x4_t sum[C][4];
  NT_UNROLL
  for (int c = 0; c < C; ++c) {
    NT_UNROLL
    for (int i = 0; i < 4; ++i) sum[c][i] = vdupq_n_f32(0);
  }
  for (int k = 0; k < n; ++k) {
    NT_UNROLL
    for (int i = 0; i < 4; ++i) {
      const float32x4_t w = vld1q_f32(tile.w[k] + 4 * i);
      NT_UNROLL
      for (int c = 0; c < C; ++c) sum[c][i] = vfmaq_n_f32(sum[c][i], w, x[c * x_stride + k]);
    }
  }
  NT_UNROLL
  for (int c = 0; c < C; ++c) {
    NT_UNROLL
    for (int i = 0; i < 4; ++i) vst1q_f32(out[c] + 4 * i, vaddq_f32(vld1q_f32(out[c] + 4 * i), sum[c][i]));
  }
}

template <class F>
void matmul_float(const Matmul& m) {
  FloatWorkspace& w = *static_cast<FloatWorkspace*>(m.scratch);
  std::memset(w.rows, 0, sizeof w.rows);
  for (int column = 0; column < m.n_cols; column += kColumns) {
    const int n_cols = smaller(kColumns, m.n_cols - column);
    for (int row = 0; row < m.n_rows; row += kTileRows) {
      std::memset(w.out, 0, n_cols * sizeof *w.out);
      for (int i = 0; i < n_chunks(m.n_values); ++i) {
        decode_chunk<F>(m, row, i, &w);
        const float* x = m.x + column * m.x_stride + i * kChunk;
        const int n = chunk_values(m.n_values, i);
        int c = 0;
        for (; c + 4 <= n_cols; c += 4) multiply_floats<4>(w.tile, x + c * m.x_stride, m.x_stride, n, w.out + c);
        for (; c < n_cols; ++c) multiply_floats<1>(w.tile, x + c * m.x_stride, m.x_stride, n, w.out + c);
      }
      copy_out(m, row, column, n_cols, w.out);
    }
  }
}

}  // namespace

void init_neon(Kernels& k) {
#define X(format, id, values, bytes)    \
  k.decode[id] = decode_values<format>; \
  k.matmul_float[id] = matmul_float<format>;
  NT_FORMATS(X)
#undef X
  init_matmul<LaneLayout<Smull>>(k);
  k.dot_peak = dot_peak<Smull>;
  init_neon_vectors(k);
}

}  // namespace nt::cpu

#endif
