// AVX-512: matrix products with float activations. Weights are decoded to floats, a group of 16 rows and a chunk at a
// time.
#if defined(__x86_64__) || defined(_M_X64)
#include "cpu/kernels_avx512_grids.h"
#include "cpu/kernels_avx512_matmul.h"

namespace nt::cpu {
namespace {

constexpr int kFloatGroups = 4;  // whose tiles are kept at a time, 64 KiB

struct alignas(64) FloatScratch {
  FloatTile tile[kFloatGroups];
  GroupSums out[kFloatGroups];
  uint8_t rows[kTileRows * kChunk * sizeof(float)];
};
static_assert(sizeof(FloatScratch) <= kScratchBytes);

// Fetches the rows that come next into the second-level cache, front to back, a part with each chunk of the rows that
// are being multiplied: their 16 rows at a time would else be 16 streams, each too short for the hardware to follow.
class Prefetch {
 public:
  Prefetch(const Matmul& m, int row, int n_rows) {
    const int end = smaller(row + n_rows, m.n_rows);
    if (row >= end) return;
    next_ = m.rows + static_cast<size_t>(row) * m.row_bytes;
    end_ = m.rows + static_cast<size_t>(end) * m.row_bytes;
    step_ = static_cast<size_t>(n_rows) * m.row_bytes / static_cast<size_t>(n_chunks(m.n_values)) + 64;
  }

  void step() {
    const uint8_t* stop = static_cast<size_t>(end_ - next_) > step_ ? next_ + step_ : end_;
    for (; next_ < stop; next_ += 64) _mm_prefetch(reinterpret_cast<const char*>(next_), _MM_HINT_T1);
    if (next_ > end_) next_ = end_;
  }

 private:
  const uint8_t* next_ = nullptr;
  const uint8_t* end_ = nullptr;
  size_t step_ = 0;
};

template <class F>
inline __m512 min_of(const WeightTile& t, int s) {
  if constexpr (ShapeOf<F>::kIntegerMins) {
    const V pair = t.m(s / 2);
    const V m = s % 2 ? _mm512_srli_epi32(pair, 16) : _mm512_and_si512(pair, _mm512_set1_epi32(0xffff));
    return _mm512_mul_ps(t.d_min(), _mm512_cvtepi32_ps(m));
  } else {
    return _mm512_load_ps(t.min[s]);
  }
}

template <class F>
struct Decode {
  static void tile(Rows r, int n_values, WeightTile* integers, FloatTile* t) {
    fill_tile<F>(r, n_values, integers);
    for (int k = 0; k < n_values; k += 4) {
      const V q = load(integers->q[k / 4]);
      const __m512 scale = _mm512_load_ps(integers->scale[k / F::kSub]);
      for (int j = 0; j < 4; ++j) {
        const __m512 biased = byte_to_float(q, j);
        __m512 w = _mm512_mul_ps(_mm512_sub_ps(biased, _mm512_set1_ps(F::kBias)), scale);
        if constexpr (F::kHasMin) w = _mm512_sub_ps(w, min_of<F>(*integers, k / F::kSub));
        _mm512_store_ps(t->w[k + j], w);
      }
    }
  }
};

template <>
struct Decode<F32> {
  static void tile(Rows r, int n_values, WeightTile*, FloatTile* t) {
    for (int k = 0; k < n_values; k += 4) {
      V v[4];
      load_16_bytes(r.at(4 * static_cast<size_t>(k)), v);
      for (int i = 0; i < 4; ++i) store(t->w[k + i], v[i]);
    }
  }
};

template <>
struct Decode<F16> {
  static void tile(Rows r, int n_values, WeightTile*, FloatTile* t) {
    for (int k = 0; k < n_values; k += 8) {
      V v[4];
      load_16_bytes(r.at(2 * static_cast<size_t>(k)), v);
      for (int i = 0; i < 4; ++i) {
        _mm512_store_ps(t->w[k + 2 * i], low_half(v[i]));
        _mm512_store_ps(t->w[k + 2 * i + 1], high_half(v[i]));
      }
    }
  }
};

template <>
struct Decode<BF16> {
  static void tile(Rows r, int n_values, WeightTile*, FloatTile* t) {
    for (int k = 0; k < n_values; k += 8) {
      V v[4];
      load_16_bytes(r.at(2 * static_cast<size_t>(k)), v);
      for (int i = 0; i < 4; ++i) {
        store(t->w[k + 2 * i], _mm512_slli_epi32(v[i], 16));
        store(t->w[k + 2 * i + 1], _mm512_and_si512(v[i], _mm512_set1_epi32(static_cast<int>(0xffff0000))));
      }
    }
  }
};

struct MultiplyFloat {
  const FloatTile* tile;
  int n_groups;
  const float* x;
  size_t x_stride;
  int n_values;
  GroupSums* out;

  template <int C>
  void run(int c) const {
    for (int g = 0; g < n_groups; ++g) {
      __m512 sum[C];
      for (int j = 0; j < C; ++j) sum[j] = _mm512_setzero_ps();
      const float* column[C];
      for (int j = 0; j < C; ++j) column[j] = x + static_cast<size_t>(c + j) * x_stride;
      for (int k = 0; k < n_values; ++k) {
        const __m512 w = _mm512_load_ps(tile[g].w[k]);
        for (int j = 0; j < C; ++j) sum[j] = _mm512_fmadd_ps(w, _mm512_set1_ps(column[j][k]), sum[j]);
      }
      for (int j = 0; j < C; ++j) {
        float* o = out[g][c + j];
        _mm512_store_ps(o, _mm512_add_ps(_mm512_load_ps(o), sum[j]));
      }
    }
  }
};

template <class F>
inline void decode_group(const Matmul& m, int row, int i, FloatTile* t, FloatScratch* s, WeightTile* integers) {
  const int n = chunk_values(m.n_values, i);
  if (F::kValues == 1 && n % 8 != 0) return decode_tile<F>(m, row, smaller(kTileRows, m.n_rows - row), i, t);
  Decode<F>::tile(whole_rows_of<F>(m, {row, 1}, i, s->rows), n, integers, t);
}

template <class F>
void matmul_float(const Matmul& m) {
  auto* s = static_cast<FloatScratch*>(m.scratch);
  WeightTile integers;
  for_blocks(m, m.n_cols < kBlock ? 1 : kFloatGroups, [&](int row, int n_groups, int col, int n_cols) {
    Prefetch ahead(m, row + n_groups * kTileRows, n_groups * kTileRows);
    for (int g = 0; g < n_groups; ++g) std::memset(s->out[g], 0, static_cast<size_t>(n_cols) * sizeof s->out[g][0]);
    for (int i = 0; i < n_chunks(m.n_values); ++i) {
      ahead.step();
      for (int g = 0; g < n_groups; ++g) decode_group<F>(m, row + g * kTileRows, i, &s->tile[g], s, &integers);
      for_columns(n_cols, MultiplyFloat{s->tile, n_groups, m.x + col * m.x_stride + i * kChunk, m.x_stride,
                                        chunk_values(m.n_values, i), s->out});
    }
    write_out(m, row, n_groups, col, n_cols, s->out);
  });
}

}  // namespace

void init_avx512_matmul_float(Kernels& k) {
#define X(format, id, values, bytes) k.matmul_float[id] = matmul_float<format>;
  NT_FORMATS(X)
#undef X
}

}  // namespace nt::cpu
#endif
