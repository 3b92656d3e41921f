// IQ2_S: 16 sub-blocks of 16 values; groups of 8 from a code book of 1024.  w = d·(0.5 + s)/4·(±grid)
#pragma once

#include "quant/block.h"
#include "quant/grids.h"

namespace nt {

struct IQ2_S {
  static constexpr int kValues = 256;
  static constexpr int kSub = 16;
  static constexpr bool kHasMin = false;
  static constexpr int kBias = 64;

  struct Block {
    f16 d;
    uint8_t qs[32];     // low eight bits of the index, one for each 8 values
    uint8_t signs[32];  // bit i: value i of the group is negative
    uint8_t qh[8];      // group 4a + c: bits 2c and 2c + 1 of byte a are the upper bits of the index
    uint8_t scales[8];  // nibbles s0–s15
  };
  static_assert(sizeof(Block) == 82);

  static NT_INLINE void unpack(const Block& b, int8_t* q, float* scale, float*) {
    const float d = to_float(b.d);
    for (int j = 0; j < 16; ++j) scale[j] = d * (0.5f + static_cast<float>(nibble(b.scales, j))) * 0.25f;
    for (int k = 0; k < 32; ++k) {
      const int high = b.qh[k / 4] >> 2 * (k % 4) & 3;
      put_signed(kGrids.iq2_s[b.qs[k] | high << 8], b.signs[k], 8, q + 8 * k);
    }
  }
};

}  // namespace nt
