// IQ2_XXS: 8 sub-blocks of 32 values; groups of 8 from a code book of 256.  w = d·(0.5 + s)/4·(±grid)
#pragma once

#include "quant/block.h"
#include "quant/grids.h"

namespace nt {

struct IQ2_XXS {
  static constexpr int kValues = 256;
  static constexpr int kSub = 32;
  static constexpr bool kHasMin = false;
  static constexpr int kBias = 64;

  struct Block {
    f16 d;
    struct {
      uint8_t index[4];  // into the code book, one for each 8 values
      uint8_t signs[4];  // u32: 4 × 7 sign bits (see sign_pattern()), then s in the top four
    } sub[8];
  };
  static_assert(sizeof(Block) == 66);

  static NT_INLINE void unpack(const Block& b, int8_t* q, float* scale, float*) {
    const float d = to_float(b.d);
    for (int j = 0; j < 8; ++j) {
      const uint32_t signs = load_u32(b.sub[j].signs);
      scale[j] = d * (0.5f + static_cast<float>(signs >> 28)) * 0.25f;
      for (int k = 0; k < 4; ++k) {
        put_signed(kGrids.iq2_xxs[b.sub[j].index[k]], sign_pattern(signs >> 7 * k & 127), 8, q + 32 * j + 8 * k);
      }
    }
  }
};

}  // namespace nt
