// IQ3_XXS: 8 sub-blocks of 32 values; groups of 4 from a code book of 256.  w = d·(0.5 + s)/2·(±grid)
#pragma once

#include "quant/block.h"
#include "quant/grids.h"

namespace nt {

struct IQ3_XXS {
  static constexpr int kValues = 256;
  static constexpr int kSub = 32;
  static constexpr bool kHasMin = false;
  static constexpr int kBias = 64;

  struct Block {
    f16 d;
    uint8_t qs[64];  // index, one for each 4 values
    uint8_t
        signs[32];  // u32 a sub-block: 4 × 7 sign bits (see sign_pattern()) of 8 values each, then s in the top four
  };
  static_assert(sizeof(Block) == 98);

  static NT_INLINE void unpack(const Block& b, int8_t* q, float* scale, float*) {
    const float d = to_float(b.d);
    for (int j = 0; j < 8; ++j) {
      const uint32_t signs = load_u32(b.signs + 4 * j);
      scale[j] = d * (0.5f + static_cast<float>(signs >> 28)) * 0.5f;
      for (int k = 0; k < 4; ++k) {
        const uint8_t* index = b.qs + 8 * j + 2 * k;
        const uint64_t grid = kGrids.iq3_xxs[index[0]] | static_cast<uint64_t>(kGrids.iq3_xxs[index[1]]) << 32;
        put_signed(grid, sign_pattern(signs >> 7 * k & 127), 8, q + 32 * j + 8 * k);
      }
    }
  }
};

}  // namespace nt
