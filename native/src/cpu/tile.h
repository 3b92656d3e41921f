// The tiles that scalar and ISA kernels unpack weights into: 16 rows by one chunk of 256 values, so arranged that one
// 64-byte vector holds 4 consecutive values of 16 rows, and a dot instruction multiplies it with 4 broadcast values of
// a column.
//
// Functions are NT_INLINE, so that an ISA file, compiled with flags of its own, leaves no copy that the linker could
// give to other code.
#pragma once

#include <cstring>
#include <type_traits>

#include "cpu/kernels.h"
#include "quant/all.h"

namespace nt::cpu {

struct alignas(64) Tile {
  uint8_t q[kChunk / 4][kTileRows][4];  // value k of row r, plus the format's kBias: q[k / 4][r][k % 4]
  float scale[16][kTileRows];           // (sub-block, row): 16 of 16 values or 8 of 32
  float min[16][kTileRows];             // the same, where the format has mins
};

struct alignas(64) FloatTile {
  float w[kChunk][kTileRows];  // (value, row)
};

// The integers and scales of one row's chunk, in order.
struct RowChunk {
  int8_t q[kChunk];
  float scale[16], min[16];
};

// The float formats, in the quantised ones' terms.
struct F32 {
  static constexpr int kValues = 1;
  struct Block {
    uint8_t bytes[4];
  };
  static NT_INLINE float value(const Block& b) {
    float x;
    std::memcpy(&x, b.bytes, 4);
    return x;
  }
};

struct F16 {
  static constexpr int kValues = 1;
  using Block = f16;
  static NT_INLINE float value(const Block& b) { return to_float(b); }
};

struct BF16 {
  static constexpr int kValues = 1;
  using Block = f16;
  static NT_INLINE float value(const Block& b) { return bfloat_to_float(bits(b)); }
};

NT_INLINE int smaller(int a, int b) { return a < b ? a : b; }

NT_INLINE int n_chunks(int n_values) { return (n_values + kChunk - 1) / kChunk; }

// Values of chunk i of a row: 256, or what is left.
NT_INLINE int chunk_values(int n_values, int i) { return smaller(kChunk, n_values - i * kChunk); }

// activation_block() for code that knows the format when it is compiled.
template <class F>
constexpr int kActivationBlock = F::kValues < kChunk ? 32 : kChunk;

// Bytes of n values (a multiple of the block) of a row.
template <class F>
NT_INLINE size_t bytes_of(size_t n) {
  return n / F::kValues * sizeof(typename F::Block);
}

template <class F>
NT_INLINE void unpack_row(const uint8_t* row, int n, RowChunk* out) {
  const auto* block = reinterpret_cast<const typename F::Block*>(row);
  for (int k = 0; k < n; k += F::kValues, ++block) {
    F::unpack(*block, out->q + k, out->scale + k / F::kSub, out->min + k / F::kSub);
  }
}

// Gives the rows that a matrix with n_rows rows left lacks zeros, so that a kernel may multiply all 16.
template <class F>
NT_INLINE void clear_rows(int n_rows, Tile* tile) {
  for (int r = n_rows; r < kTileRows; ++r) {
    for (auto& group : tile->q) std::memset(group[r], 0, 4);
    for (int s = 0; s < kChunk / F::kSub; ++s) tile->scale[s][r] = tile->min[s][r] = 0;
  }
}

// Unpacks chunk i of rows row0 … row0 + n_rows − 1 (at most 16). What a short chunk lacks is left as it was.
template <class F>
NT_INLINE void unpack_tile(const Matmul& m, int row0, int n_rows, int i, Tile* tile) {
  const int n = chunk_values(m.n_values, i);
  for (int r = 0; r < n_rows; ++r) {
    RowChunk row;
    unpack_row<F>(m.rows + (row0 + r) * m.row_bytes + i * bytes_of<F>(kChunk), n, &row);
    for (int k = 0; k < n; ++k) tile->q[k / 4][r][k % 4] = static_cast<uint8_t>(row.q[k] + F::kBias);
    for (int s = 0; s < n / F::kSub; ++s) {
      tile->scale[s][r] = row.scale[s];
      if constexpr (F::kHasMin) tile->min[s][r] = row.min[s];
    }
  }
  clear_rows<F>(n_rows, tile);
}

// n values of a row as floats; n is a multiple of the block.
template <class F>
NT_INLINE void decode_row(const uint8_t* row, size_t n, float* out) {
  const auto* block = reinterpret_cast<const typename F::Block*>(row);
  for (size_t k = 0; k < n; k += F::kValues, ++block) {
    if constexpr (F::kValues == 1) {
      out[k] = F::value(*block);
    } else {
      decode_block<F>(*block, out + k);
    }
  }
}

// Decodes chunk i of rows row0 … row0 + n_rows − 1 (at most 16); the rows that are lacking become zeros.
template <class F>
NT_INLINE void decode_tile(const Matmul& m, int row0, int n_rows, int i, FloatTile* tile) {
  const int n = chunk_values(m.n_values, i);
  for (int r = 0; r < kTileRows; ++r) {
    float row[kChunk];
    if (r < n_rows) {
      decode_row<F>(m.rows + (row0 + r) * m.row_bytes + i * bytes_of<F>(kChunk), static_cast<size_t>(n), row);
    } else {
      std::memset(row, 0, sizeof row);
    }
    for (int k = 0; k < n; ++k) tile->w[k][r] = row[k];
  }
}

}  // namespace nt::cpu
