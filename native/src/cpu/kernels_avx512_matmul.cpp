// AVX-512 VNNI: matrix products. Each chunk of a few groups of 16 rows is unpacked once into tiles, in the first-level
// cache, and multiplied with every column.
#if defined(__x86_64__) || defined(_M_X64)
#include "cpu/kernels_avx512.h"
#include "cpu/kernels_avx512_grids.h"
#include "cpu/kernels_avx512_unpack.h"

namespace nt::cpu {
namespace {

// Cycles below were measured on Zen 4 for a tile of Q4_K, 16 rows by 256 values, whose 64 dots take 64 at the least.
constexpr int kMaxGroups = 4;  // groups of 16 rows whose tiles are kept at a time: 24 KiB, and a column's chunk is read
                               // from the second-level cache once for all of them
constexpr int kMaxColumns = 512;  // whose sums are kept at a time: 128 KiB
constexpr int kBlock = 8;  // columns that share a load of weights: 8 chains hide the dot's latency, and 8 integer
                           // and 8 float sums leave registers for weights and scales. 85 a column and tile

// Columns up to which the integers go from being unpacked to the dots in registers. Storing a tile takes 200; without
// it one column takes 360 and not 510, eight 870 and not 1,060. Sub-blocks of 16 need twice the registers.
template <class F>
constexpr int kDirect = F::kSub == 32 && F::kValues == 256 ? 8 : 4;

// What the dots of a column's chunk begin with and are corrected by: by sub-block.
struct alignas(64) Sums {
  int32_t start[16];  // −bias · Σa: what the bias of the weights adds, taken off in advance
  float total[16];    // Σa, for the mins
};

struct Scratch {
  Tile tile[kMaxGroups];
  Sums sums[kMaxColumns];
  alignas(64) float out[kMaxColumns][kMaxGroups][kTileRows];
  uint8_t rows[kTileRows * kChunk * sizeof(float)];  // a chunk of a group that lacks rows, filled up
};
static_assert(sizeof(Scratch) <= kScratchBytes);

struct FloatScratch {
  FloatTile tile[kMaxGroups];
  alignas(64) float out[kMaxColumns][kMaxGroups][kTileRows];
  uint8_t rows[kTileRows * kChunk * sizeof(float)];
};
static_assert(sizeof(FloatScratch) <= kScratchBytes);

// Products of C columns and 16 rows of a chunk. The order of a column's additions does not depend on C, nor on whether
// the integers come from a tile or straight from being unpacked.
template <class F, int C>
struct Products {
  const ActivationChunk* a;
  const Sums* sums;
  __m512 sum[C];

  NT_INLINE Products(const ActivationChunk* columns, const Sums* s) : a(columns), sums(s) {
    NT_UNROLL
    for (int c = 0; c < C; ++c) sum[c] = _mm512_setzero_ps();
  }

  // What the dot of sub-block s begins with.
  NT_INLINE V start(int s, int c) const {
    return F::kBias ? _mm512_set1_epi32(sums[c].start[s]) : _mm512_setzero_si512();
  }

  // Group k of four weights a row, with column c.
  NT_INLINE V dot(V before, V weights, int k, int c) const {
    int32_t four;
    std::memcpy(&four, a[c].q + 4 * k, 4);
    return _mm512_dpbusd_epi32(before, weights, _mm512_set1_epi32(four));
  }

  // Adds the dot of sub-block s.
  NT_INLINE void add(V dot, const Tile& t, int s, int c) {
    const __m512 d = _mm512_cvtepi32_ps(dot), scale = _mm512_load_ps(t.scale[s]);
    if constexpr (kActivationBlock<F> == 32) {
      __m512 term = _mm512_mul_ps(d, scale);
      if (F::kHasMin) term = _mm512_fnmadd_ps(_mm512_load_ps(t.min[s]), _mm512_set1_ps(a[c].sum32f[s]), term);
      sum[c] = _mm512_fmadd_ps(term, _mm512_set1_ps(a[c].scale[s]), sum[c]);
    } else {
      sum[c] = _mm512_fmadd_ps(d, scale, sum[c]);
      if (F::kHasMin) sum[c] = _mm512_fnmadd_ps(_mm512_load_ps(t.min[s]), _mm512_set1_ps(sums[c].total[s]), sum[c]);
    }
  }

  // Adds the chunk to the sums of the chunks before it.
  NT_INLINE void finish(float* out, size_t out_stride) const {
    NT_UNROLL
    for (int c = 0; c < C; ++c) {
      float* o = out + c * out_stride;
      const __m512 before = _mm512_load_ps(o), scale = _mm512_set1_ps(a[c].scale[0]);
      _mm512_store_ps(
          o, kActivationBlock<F> == 32 ? _mm512_add_ps(before, sum[c]) : _mm512_fmadd_ps(sum[c], scale, before));
    }
  }
};

// From a tile.
template <class F, int C>
void multiply(const Tile& t, const ActivationChunk* a, const Sums* sums, int n_values, float* out, size_t out_stride) {
  Products<F, C> p(a, sums);
  constexpr int kGroups = F::kSub / 4;
  const int n_sub = n_values / F::kSub;
  for (int s = 0; s < n_sub; ++s) {
    V dot[C];
    NT_UNROLL
    for (int c = 0; c < C; ++c) dot[c] = p.start(s, c);
    NT_UNROLL
    for (int i = 0; i < kGroups; ++i) {
      const V w = _mm512_load_si512(t.q[s * kGroups + i]);
      NT_UNROLL
      for (int c = 0; c < C; ++c) dot[c] = p.dot(dot[c], w, s * kGroups + i, c);
    }
    NT_UNROLL
    for (int c = 0; c < C; ++c) p.add(dot[c], t, s, c);
  }
  p.finish(out, out_stride);
}

// From registers: a sink of Unpack::values(), whose scales are in the tile.
template <class F, int C>
struct ToDots {
  static constexpr int kGroups = F::kSub / 4;
  const Tile& tile;
  Products<F, C> p;
  V dots[8][C];  // by sub-block, of those that are being unpacked: at most a half of Q6_K's 16

  NT_INLINE void put(int first, int i, V v) {
    NT_UNROLL
    for (int c = 0; c < C; ++c) {
      V& d = dots[i / kGroups][c];
      if (i % kGroups == 0) d = p.start(first / kGroups + i / kGroups, c);
      d = p.dot(d, v, first + i, c);
    }
  }

  NT_INLINE void finish(int first, int n) {
    NT_UNROLL
    for (int s = 0; s < n / kGroups; ++s) {
      NT_UNROLL
      for (int c = 0; c < C; ++c) p.add(dots[s][c], tile, first / kGroups + s, c);
    }
  }
};

template <class F, int C>
void multiply_rows(Rows r, const ActivationChunk* a, const Sums* sums, int n_values, Tile* t, float* out,
                   size_t out_stride) {
  const Unpack<F> u(r, n_values, t);
  ToDots<F, C> sink{*t, Products<F, C>(a, sums), {}};
  u.values(sink);
  sink.p.finish(out, out_stride);
}

// Calls f<C>(c) for runs of up to kBlock columns.
template <class Body>
inline void for_columns(int n_cols, const Body& body) {
  int c = 0;
  for (; c + kBlock <= n_cols; c += kBlock) body.template run<kBlock>(c);
  switch (n_cols - c) {
    case 1:
      return body.template run<1>(c);
    case 2:
      return body.template run<2>(c);
    case 3:
      return body.template run<3>(c);
    case 4:
      return body.template run<4>(c);
    case 5:
      return body.template run<5>(c);
    case 6:
      return body.template run<6>(c);
    case 7:
      return body.template run<7>(c);
  }
}

// Rows row … row + 15 at chunk i; a group that lacks rows is copied and filled up with zeros.
template <class F>
inline Rows group_rows(const Matmul& m, int row, int i, uint8_t* copy) {
  const Rows r = {m.rows + static_cast<size_t>(row) * m.row_bytes + i * bytes_of<F>(kChunk), m.row_bytes};
  if (row + kTileRows <= m.n_rows) return r;
  const size_t n = bytes_of<F>(static_cast<size_t>(chunk_values(m.n_values, i)));
  std::memset(copy, 0, kTileRows * n);
  for (int j = 0; row + j < m.n_rows; ++j) std::memcpy(copy + j * n, r.p + j * r.stride, n);
  return {copy, n};
}

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

// Fetches the chunk that comes next, of the same rows or, after their last, of the next ones, a few lines with each
// product of a tile: all at once they would hold up the loads behind them.
template <class F>
class NextChunk {
 public:
  NextChunk(const Matmul& m, int row, int n_groups, int i, int n_products) : stride_(m.row_bytes) {
    if (++i == n_chunks(m.n_values)) {
      row += n_groups * kTileRows;
      i = 0;
    }
    rows_ = smaller(n_groups * kTileRows, m.n_rows - row);
    if (rows_ <= 0) return;
    row_ = m.rows + static_cast<size_t>(row) * m.row_bytes + static_cast<size_t>(i) * bytes_of<F>(kChunk);
    last_ = bytes_of<F>(static_cast<size_t>(chunk_values(m.n_values, i))) - 1;
    lines_ = rows_ * static_cast<int>(last_ / 64 + 2) / n_products + 1;
  }

  void step() {
    for (int n = lines_; n > 0 && rows_ > 0; --n) {
      _mm_prefetch(reinterpret_cast<const char*>(row_ + at_), _MM_HINT_T1);
      if (at_ == last_) {
        at_ = 0;
        row_ += stride_;
        --rows_;
      } else {
        at_ = at_ + 64 < last_ ? at_ + 64 : last_;
      }
    }
  }

 private:
  const uint8_t* row_ = nullptr;
  size_t stride_, last_ = 0, at_ = 0;
  int rows_, lines_ = 0;
};

// Writes the sums of n_cols columns and some groups of rows.
inline void write_out(const Matmul& m, int row, int col, int n_cols, const float (*sums)[kMaxGroups][kTileRows]) {
  for (int c = 0; c < n_cols; ++c) {
    for (int g = 0; g < kMaxGroups; ++g) {
      const int left = m.n_rows - (row + g * kTileRows);
      if (left <= 0) break;
      const __mmask16 mask = first_lanes(left);
      float* out = m.out + static_cast<size_t>(col + c) * m.out_stride + row + g * kTileRows;
      _mm512_mask_storeu_ps(out, mask, _mm512_load_ps(sums[c][g]));
    }
  }
}

template <class F>
struct Multiply {
  const Tile* tile;
  int n_groups;
  const ActivationChunk* a;
  const Sums* sums;
  int n_values;
  float (*out)[kMaxGroups][kTileRows];
  NextChunk<F>* next;

  template <int C>
  void run(int c) const {
    for (int g = 0; g < n_groups; ++g) {
      next->step();
      multiply<F, C>(tile[g], a + c, sums + c, n_values, out[c][g], kMaxGroups * kTileRows);
    }
  }
};

template <class F>
struct MultiplyRows {
  Rows rows;
  Tile* tile;
  const ActivationChunk* a;
  const Sums* sums;
  int n_values;
  float (*out)[kMaxGroups][kTileRows];

  template <int C>
  void run(int c) const {
    if constexpr (C <= kDirect<F>) {
      multiply_rows<F, C>(rows, a + c, sums + c, n_values, tile, out[c][0], kMaxGroups * kTileRows);
    }
  }
};

template <class F>
inline void prepare_sums(const ActivationChunk* a, int n_cols, Sums* sums) {
  for (int c = 0; c < n_cols; ++c) {
    const V s = F::kSub == 16 ? load(a[c].sum16)
                              : _mm512_castsi256_si512(_mm256_load_si256(reinterpret_cast<const __m256i*>(a[c].sum32)));
    if (F::kBias) store(sums[c].start, _mm512_mullo_epi32(s, _mm512_set1_epi32(-F::kBias)));
    if (F::kHasMin) _mm512_store_ps(sums[c].total, _mm512_cvtepi32_ps(s));
  }
}

template <class F>
void matmul_rows(const Matmul& m, int row, int n_groups, int col, int n_cols, Scratch* s) {
  Prefetch ahead(m, row + n_groups * kTileRows, n_groups * kTileRows);
  for (int c = 0; c < n_cols; ++c) std::memset(s->out[c], 0, n_groups * sizeof s->out[c][0]);
  for (int i = 0; i < n_chunks(m.n_values); ++i) {
    const int n = chunk_values(m.n_values, i);
    const ActivationChunk* a = m.q + i * m.q_stride + col;
    prepare_sums<F>(a, n_cols, s->sums);
    if (n_groups == 1) ahead.step();
    if (n_cols <= kDirect<F>) {
      for_columns(n_cols, MultiplyRows<F>{group_rows<F>(m, row, i, s->rows), &s->tile[0], a, s->sums, n, s->out});
      continue;
    }
    for (int g = 0; g < n_groups; ++g) {
      fill_tile<F>(group_rows<F>(m, row + g * kTileRows, i, s->rows), n, &s->tile[g]);
    }
    NextChunk<F> next(m, row, n_groups, i, n_groups * ((n_cols + kBlock - 1) / kBlock));
    for_columns(n_cols, Multiply<F>{s->tile, n_groups, a, s->sums, n, s->out, &next});
  }
  write_out(m, row, col, n_cols, s->out);
}

template <class F>
void matmul(const Matmul& m) {
  auto* s = static_cast<Scratch*>(m.scratch);
  // One group while memory is the limit, so that the rows that come next fit the cache.
  const int groups = m.n_cols <= kBlock ? 1 : kMaxGroups;
  for (int col = 0; col < m.n_cols; col += kMaxColumns) {
    for (int row = 0; row < m.n_rows; row += groups * kTileRows) {
      const int n_groups = smaller(groups, (m.n_rows - row + kTileRows - 1) / kTileRows);
      matmul_rows<F>(m, row, n_groups, col, smaller(kMaxColumns, m.n_cols - col), s);
    }
  }
}

// Float products.

template <class F>
struct Decode {
  static void tile(Rows r, int n_values, Tile* integers, FloatTile* t) {
    fill_tile<F>(r, n_values, integers);
    for (int k = 0; k < n_values; k += 4) {
      const V q = load(integers->q[k / 4]);
      const __m512 scale = _mm512_load_ps(integers->scale[k / F::kSub]);
      for (int j = 0; j < 4; ++j) {
        const __m512 biased = byte_to_float(q, j);
        __m512 w = _mm512_mul_ps(_mm512_sub_ps(biased, _mm512_set1_ps(F::kBias)), scale);
        if constexpr (F::kHasMin) w = _mm512_sub_ps(w, _mm512_load_ps(integers->min[k / F::kSub]));
        _mm512_store_ps(t->w[k + j], w);
      }
    }
  }
};

template <>
struct Decode<F32> {
  static void tile(Rows r, int n_values, Tile*, FloatTile* t) {
    for (int k = 0; k < n_values; k += 4) {
      V v[4];
      load_16_bytes(r.at(4 * static_cast<size_t>(k)), v);
      for (int i = 0; i < 4; ++i) store(t->w[k + i], v[i]);
    }
  }
};

template <>
struct Decode<F16> {
  static void tile(Rows r, int n_values, Tile*, FloatTile* t) {
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
  static void tile(Rows r, int n_values, Tile*, FloatTile* t) {
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
  float (*out)[kMaxGroups][kTileRows];

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
        float* o = out[c + j][g];
        _mm512_store_ps(o, _mm512_add_ps(_mm512_load_ps(o), sum[j]));
      }
    }
  }
};

template <class F>
inline void decode_group(const Matmul& m, int row, int i, FloatTile* t, FloatScratch* s, Tile* integers) {
  const int n = chunk_values(m.n_values, i);
  if (F::kValues == 1 && n % 8 != 0) return decode_tile<F>(m, row, smaller(kTileRows, m.n_rows - row), i, t);
  Decode<F>::tile(group_rows<F>(m, row, i, s->rows), n, integers, t);
}

template <class F>
void matmul_float(const Matmul& m) {
  auto* s = static_cast<FloatScratch*>(m.scratch);
  Tile integers;
  const int groups = m.n_cols < kBlock ? 1 : kMaxGroups;
  for (int col = 0; col < m.n_cols; col += kMaxColumns) {
    const int n_cols = smaller(kMaxColumns, m.n_cols - col);
    for (int row = 0; row < m.n_rows; row += groups * kTileRows) {
      const int n_groups = smaller(groups, (m.n_rows - row + kTileRows - 1) / kTileRows);
      Prefetch ahead(m, row + n_groups * kTileRows, n_groups * kTileRows);
      for (int c = 0; c < n_cols; ++c) std::memset(s->out[c], 0, sizeof s->out[c]);
      for (int i = 0; i < n_chunks(m.n_values); ++i) {
        ahead.step();
        for (int g = 0; g < n_groups; ++g) decode_group<F>(m, row + g * kTileRows, i, &s->tile[g], s, &integers);
        for_columns(n_cols, MultiplyFloat{s->tile, n_groups, m.x + col * m.x_stride + i * kChunk, m.x_stride,
                                          chunk_values(m.n_values, i), s->out});
      }
      write_out(m, row, col, n_cols, s->out);
    }
  }
}

}  // namespace

void init_avx512_matmul(Kernels& k) {
#define X(format, id, values, bytes) k.matmul_float[id] = matmul_float<format>;
  NT_FORMATS(X)
#undef X
#define X(format, id, values, bytes) k.matmul[id] = matmul<format>;
  NT_QUANTIZED_FORMATS(X)
#undef X
}

}  // namespace nt::cpu
#endif
