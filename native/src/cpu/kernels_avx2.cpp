// AVX2, FMA and F16C: decoding, and matrix products with floats.
#if defined(__x86_64__) || defined(_M_X64)
#include "cpu/kernels_avx2.h"

#include "cpu/tile.h"

namespace nt::cpu {
namespace {

constexpr int kColumns = 4096;  // that one pass over the weights takes

void copy_out(const Matmul& m, int row, int n_rows, int column, int n_cols, const float (*sum)[kTileRows]) {
  for (int c = 0; c < n_cols; ++c) {
    std::memcpy(m.out + (column + c) * m.out_stride + row, sum[c], n_rows * sizeof(float));
  }
}

template <class F>
void decode_values(const uint8_t* row, size_t n, float* out) {
  decode_row<F>(row, n, out);
}

template <>
void decode_values<F16>(const uint8_t* row, size_t n, float* out) {
  size_t i = 0;
  for (; i + 8 <= n; i += 8) {
    _mm256_storeu_ps(out + i, _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(row + 2 * i))));
  }
  for (; i < n; ++i) out[i] = half_to_float(load_u16(row + 2 * i));
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
  const uint8_t* rows[kTileRows];
  for (int r = 0; r < kTileRows; ++r) {
    const size_t index = smaller(row + r, m.n_rows - 1);
    decode_values<F>(m.rows + index * m.row_bytes + i * bytes_of<F>(kChunk), static_cast<size_t>(n), w->rows[r]);
    rows[r] = reinterpret_cast<const uint8_t*>(w->rows[r]);
  }
  for (int k = 0; k < n; k += 4) {  // the last may transpose what an earlier chunk left; nobody reads it
    for (int h = 0; h < 2; ++h) {
      __m256i v[4];
      transpose16(rows + 8 * h, k * sizeof(float), v);
      for (int j = 0; j < 4; ++j) store256(&w->tile.w[k + j][8 * h], v[j]);
    }
  }
}

template <int C>
void multiply_floats(const FloatTile& tile, const float* x, size_t x_stride, int n, float (*out)[kTileRows]) {
  __m256 sum[C][2];
  for (auto& column : sum) column[0] = column[1] = _mm256_setzero_ps();
  for (int k = 0; k < n; ++k) {
    const __m256 w0 = _mm256_load_ps(tile.w[k]), w1 = _mm256_load_ps(tile.w[k] + 8);
    for (int c = 0; c < C; ++c) {
      const __m256 v = broadcast(x[c * x_stride + k]);
      sum[c][0] = _mm256_fmadd_ps(w0, v, sum[c][0]);
      sum[c][1] = _mm256_fmadd_ps(w1, v, sum[c][1]);
    }
  }
  for (int c = 0; c < C; ++c) {
    for (int h = 0; h < 2; ++h)
      _mm256_store_ps(out[c] + 8 * h, _mm256_add_ps(sum[c][h], _mm256_load_ps(out[c] + 8 * h)));
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
      copy_out(m, row, smaller(kTileRows, m.n_rows - row), column, n_cols, w.out);
    }
  }
}

}  // namespace

void init_avx2(Kernels& k) {
#define X(format, id, values, bytes)    \
  k.decode[id] = decode_values<format>; \
  k.matmul_float[id] = matmul_float<format>;
  NT_FORMATS(X)
#undef X
  init_avx2_matmul(k);
  init_avx2_vectors(k);
  init_avx2_sampling(k);
}

}  // namespace nt::cpu

#endif
