// IQ1_S: 8 sub-blocks of 32 values; groups of 8 from a code book of 2048.  w = d·(2s + 1)·(grid ± 1/8)
#pragma once

#include "quant/block.h"
#include "quant/grids.h"

namespace nt {

// q = 8·grid ± 1, so that IQ1_S and IQ1_M are integers times an eighth of their scale, which is exact.
NT_INLINE void put_eighths(uint64_t grid, int delta, int8_t* q) {
  for (int i = 0; i < 8; ++i) {
    const int g = static_cast<int8_t>(grid >> 8 * i & 255);
    q[i] = static_cast<int8_t>(8 * g + delta);
  }
}

struct IQ1_S {
  static constexpr int kValues = 256;
  static constexpr int kSub = 32;
  static constexpr bool kHasMin = false;
  static constexpr int kBias = 16;

  struct Block {
    f16 d;
    uint8_t qs[32];  // low eight bits of the index, one for each 8 values
    uint8_t qh[16];  // u16 a sub-block: 4 × 3 upper bits of the index, 3 bits of s, and the top bit set for −1/8
  };
  static_assert(sizeof(Block) == 50);

  static NT_INLINE void unpack(const Block& b, int8_t* q, float* scale, float*) {
    const float d = to_float(b.d);
    for (int j = 0; j < 8; ++j) {
      const int qh = load_u16(b.qh + 2 * j);
      scale[j] = d * static_cast<float>(2 * (qh >> 12 & 7) + 1) * 0.125f;
      for (int k = 0; k < 4; ++k) {
        const int index = b.qs[4 * j + k] | (qh >> 3 * k & 7) << 8;
        put_eighths(kGrids.iq1[index], qh & 0x8000 ? -1 : 1, q + 32 * j + 8 * k);
      }
    }
  }
};

}  // namespace nt
