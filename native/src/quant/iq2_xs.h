// IQ2_XS: 16 sub-blocks of 16 values; groups of 8 from a code book of 512.  w = d·(0.5 + s)/4·(±grid)
#pragma once

#include "quant/block.h"
#include "quant/grids.h"

namespace nt {

struct IQ2_XS {
  static constexpr int kValues = 256;
  static constexpr int kSub = 16;
  static constexpr bool kHasMin = false;
  static constexpr int kBias = 64;

  struct Block {
    f16 d;
    uint8_t qs[64];     // u16[32], one for each 8 values: 9 bits of index, 7 sign bits (see sign_pattern())
    uint8_t scales[8];  // nibbles s0–s15
  };
  static_assert(sizeof(Block) == 74);

  static NT_INLINE void unpack(const Block& b, int8_t* q, float* scale, float*) {
    const float d = to_float(b.d);
    for (int j = 0; j < 16; ++j) scale[j] = d * (0.5f + static_cast<float>(nibble(b.scales, j))) * 0.25f;
    for (int k = 0; k < 32; ++k) {
      const unsigned code = load_u16(b.qs + 2 * k);
      put_signed(kGrids.iq2_xs[code & 511], sign_pattern(code >> 9), 8, q + 8 * k);
    }
  }
};

}  // namespace nt
