// NEON: quantised products, over a level's layout of tiles (kernels_neon_unpack.h) and its dot instruction:
//   Layout::dot<kSub, C, Q>(tile, quad, k, a, dot)
//     dot[c][i] = Σ q·a of the values k … k + kSub − 1, of the 4 rows of quad + i and of column c
#pragma once

#include "cpu/kernels_neon_unpack.h"

namespace nt::cpu {
namespace {

// Tiles for instructions that add 4 products to each of 4 sums: a vector holds 4 consecutive values of 4 rows, and is
// multiplied with a lane of a column. Op::run_lane<lane>(sum, q, a).
template <class Op>
struct LaneLayout {
  static NT_INLINE void arrange(const uint8x16_t* rows, uint8x16_t* out) { transpose4(rows, out); }

  static NT_INLINE int place(int k, int quad, int j) { return (k / 4 + j) * 4 * kTileRows + 16 * quad; }

  template <int kSub, int C, int Q>
  static NT_INLINE void dot(const SignedTile& tile, int quad, int k, const ActivationChunk* a, int32x4_t (*dot)[Q]) {
    NT_UNROLL
    for (int c = 0; c < C; ++c) {
      NT_UNROLL
      for (int i = 0; i < Q; ++i) dot[c][i] = vdupq_n_s32(0);
    }
    NT_UNROLL
    for (int g = 0; g < kSub; g += 16) {
      int8x16_t x[C];
      NT_UNROLL
      for (int c = 0; c < C; ++c) x[c] = vld1q_s8(a[c].q + k + g);
      lane<0, C, Q>(tile.q + place(k + g, quad, 0), x, dot);
      lane<1, C, Q>(tile.q + place(k + g, quad, 1), x, dot);
      lane<2, C, Q>(tile.q + place(k + g, quad, 2), x, dot);
      lane<3, C, Q>(tile.q + place(k + g, quad, 3), x, dot);
    }
  }

 private:
  template <int kLane, int C, int Q>
  static NT_INLINE void lane(const int8_t* q, const int8x16_t* x, int32x4_t (*dot)[Q]) {
    NT_UNROLL
    for (int i = 0; i < Q; ++i) {
      const int8x16_t w = vld1q_s8(q + 16 * i);
      NT_UNROLL
      for (int c = 0; c < C; ++c) dot[c][i] = Op::template run_lane<kLane>(dot[c][i], w, x[c]);
    }
  }
};

// Adds the products of n values of Q quads of a tile with C columns' chunks to out, (C, 16).
template <class L, class F, int C, int Q>
void multiply_chunk(const SignedTile& tile, int quad, const ActivationChunk* a, int n, float (*out)[kTileRows]) {
  constexpr bool kScaleEach32 = kActivationBlock<F> == 32;
  float32x4_t sum[C][Q];
  NT_UNROLL
  for (int c = 0; c < C; ++c) {
    NT_UNROLL
    for (int i = 0; i < Q; ++i) sum[c][i] = vdupq_n_f32(0);
  }
  for (int s = 0; s < n / F::kSub; ++s) {
    int32x4_t dot[C][Q];
    L::template dot<F::kSub, C, Q>(tile, quad, s * F::kSub, a, dot);
    NT_UNROLL
    for (int i = 0; i < Q; ++i) {
      const float32x4_t scale = vld1q_f32(tile.scale[s] + 4 * (quad + i));
      const float32x4_t min = F::kHasMin ? vld1q_f32(tile.min[s] + 4 * (quad + i)) : scale;
      NT_UNROLL
      for (int c = 0; c < C; ++c) {
        const float total = F::kSub == 32 ? a[c].sum32f[s] : static_cast<float>(a[c].sum16[s]);
        const float32x4_t product = vcvtq_f32_s32(dot[c][i]);
        if constexpr (kScaleEach32) {
          float32x4_t term = vmulq_f32(scale, product);
          if (F::kHasMin) term = vfmsq_n_f32(term, min, total);
          sum[c][i] = vfmaq_n_f32(sum[c][i], term, a[c].scale[s]);
        } else {
          sum[c][i] = vfmaq_f32(sum[c][i], scale, product);
          if (F::kHasMin) sum[c][i] = vfmsq_n_f32(sum[c][i], min, total);
        }
      }
    }
  }
  NT_UNROLL
  for (int c = 0; c < C; ++c) {
    const float scale = kScaleEach32 ? 1 : a[c].scale[0];
    NT_UNROLL
    for (int i = 0; i < Q; ++i) {
      float* o = out[c] + 4 * (quad + i);
      vst1q_f32(o, vfmaq_n_f32(vld1q_f32(o), sum[c][i], scale));
    }
  }
}

constexpr int kColumns = 4096;  // that one pass over the weights takes

struct alignas(64) Workspace {
  SignedTile tile;
  float out[kColumns][kTileRows];
};
static_assert(sizeof(Workspace) <= kScratchBytes);

NT_INLINE void copy_out(const Matmul& m, int row, int column, int n_cols, const float (*sum)[kTileRows]) {
  const int n_rows = smaller(kTileRows, m.n_rows - row);
  for (int c = 0; c < n_cols; ++c) {
    std::memcpy(m.out + (column + c) * m.out_stride + row, sum[c], n_rows * sizeof(float));
  }
}

template <class L, class F>
void unpack_chunk(const Matmul& m, int row, int i, SignedTile* tile) {
  for (int q = 0; q < 4; ++q) {
    Quad<L> quad = {{}, chunk_values(m.n_values, i), q, tile};
    for (int r = 0; r < 4; ++r) {
      // Rows that the matrix lacks repeat its last one; nobody reads their results.
      const size_t index = smaller(row + 4 * q + r, m.n_rows - 1);
      quad.rows[r] = m.rows + index * m.row_bytes + i * bytes_of<F>(kChunk);
    }
    Unpack<L, F>::run(quad);
  }
}

// Integer sums, factors and float sums fit in 32 registers for 4 columns of 8 rows, or 2 of 16.
template <class L, class F>
void matmul(const Matmul& m) {
  Workspace& w = *static_cast<Workspace*>(m.scratch);
  for (int column = 0; column < m.n_cols; column += kColumns) {
    const int n_cols = smaller(kColumns, m.n_cols - column);
    for (int row = 0; row < m.n_rows; row += kTileRows) {
      std::memset(w.out, 0, n_cols * sizeof *w.out);
      for (int i = 0; i < n_chunks(m.n_values); ++i) {
        unpack_chunk<L, F>(m, row, i, &w.tile);
        const ActivationChunk* a = m.q + i * m.q_stride + column;
        const int n = chunk_values(m.n_values, i);
        int c = 0;
        for (; c + 4 <= n_cols; c += 4) {
          multiply_chunk<L, F, 4, 2>(w.tile, 0, a + c, n, w.out + c);
          multiply_chunk<L, F, 4, 2>(w.tile, 2, a + c, n, w.out + c);
        }
        for (; c + 2 <= n_cols; c += 2) multiply_chunk<L, F, 2, 4>(w.tile, 0, a + c, n, w.out + c);
        if (c < n_cols) multiply_chunk<L, F, 1, 4>(w.tile, 0, a + c, n, w.out + c);
      }
      copy_out(m, row, column, n_cols, w.out);
    }
  }
}

template <class L>
void init_matmul(Kernels& k) {
#define X(format, id, values, bytes) k.matmul[id] = matmul<L, format>;
  NT_QUANTIZED_FORMATS(X)
#undef X
}

}  // namespace
}  // namespace nt::cpu
