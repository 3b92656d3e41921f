// IQ3_S: 8 sub-blocks of 32 values; groups of 4 from a code book of 512.  w = d·(1 + 2s)·(±grid)
#pragma once

#include "quant/block.h"
#include "quant/grids.h"

namespace nt {

struct IQ3_S {
  static constexpr int kValues = 256;
  static constexpr int kSub = 32;
  static constexpr bool kHasMin = false;
  static constexpr int kBias = 16;

  struct Block {
    f16 d;
    uint8_t qs[64];     // low eight bits of the index, one for each 4 values
    uint8_t qh[8];      // group 8a + c: bit c of byte a is the ninth bit of the index
    uint8_t signs[32];  // value 8a + c is negative: bit c of byte a
    uint8_t scales[4];  // nibbles s0–s7
  };
  static_assert(sizeof(Block) == 110);

  static NT_INLINE void unpack(const Block& b, int8_t* q, float* scale, float*) {
    const float d = to_float(b.d);
    for (int j = 0; j < 8; ++j) scale[j] = d * static_cast<float>(1 + 2 * nibble(b.scales, j));
    for (int k = 0; k < 64; ++k) {
      const int high = b.qh[k / 8] >> k % 8 & 1;
      put_signed(kGrids.iq3_s[b.qs[k] | high << 8], b.signs[k / 2] >> 4 * (k % 2) & 15, 4, q + 4 * k);
    }
  }
};

}  // namespace nt
