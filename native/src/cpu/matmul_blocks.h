// How products go through a matrix, for the AVX2 and the AVX-512 kernels: which rows and columns are taken together,
// and which weights are read ahead meanwhile.
#pragma once

#include "cpu/tile.h"

namespace nt::cpu {

// Up to how many columns one or two groups of 16 rows are kept, and the weights are read front to back.
constexpr int kFewColumns = 32;
constexpr int kMaxColumns = 512;  // whose sums are kept at a time: 128 KiB

// Calls body(row, n_groups, col, n_cols) for blocks of up to `groups` groups of 16 rows and kMaxColumns columns.
template <class Body>
NT_INLINE void for_blocks(const Matmul& m, int groups, const Body& body) {
  for (int col = 0; col < m.n_cols; col += kMaxColumns) {
    for (int row = 0; row < m.n_rows; row += groups * kTileRows) {
      const int n_groups = smaller(groups, (m.n_rows - row + kTileRows - 1) / kTileRows);
      body(row, n_groups, col, smaller(kMaxColumns, m.n_cols - col));
    }
  }
}

// Stretches of a chunk's bytes, one for each row. An address, not a pointer: there may be nothing.
struct Stretches {
  uintptr_t address;
  size_t stride;
};

// What follows the 16 rows from `row` on at chunk i, in a block of n_groups groups: their next chunk, or the first one
// of the rows that come in their place.
template <class F>
NT_INLINE Stretches next_chunk(const Matmul& m, int row, int n_groups, int i) {
  const auto rows = reinterpret_cast<uintptr_t>(m.rows) + static_cast<size_t>(row) * m.row_bytes;
  if (i + 1 < n_chunks(m.n_values)) return {rows + static_cast<size_t>(i + 1) * bytes_of<F>(kChunk), m.row_bytes};
  return {rows + static_cast<size_t>(n_groups * kTileRows) * m.row_bytes, m.row_bytes};
}

// What they fetch from memory for later. With few columns that is a part of the group that comes in their place, front
// to back: 16 rows at a time would be 16 streams, each too short for the hardware to follow. With many, that group
// would be out of the cache again before its turn, so it is the next chunk. Either goes on behind the last row, where
// the thread's next rows are most often; a prefetch of an address that does not exist does nothing.
template <class F>
NT_INLINE Stretches stretches_ahead(const Matmul& m, int row, int n_groups, int i) {
  if (m.n_cols > kFewColumns) return next_chunk<F>(m, row, n_groups, i);
  const size_t chunk = bytes_of<F>(kChunk);
  return {reinterpret_cast<uintptr_t>(m.rows) + static_cast<size_t>(row + n_groups * kTileRows) * m.row_bytes +
              static_cast<size_t>(i) * kTileRows * chunk,
          chunk};
}

}  // namespace nt::cpu
