// IQ4_XS: 8 sub-blocks of 32 values; 4-bit indices into a table of 16, 6-bit scale.  w = d·(s − 32)·table[q]
#pragma once

#include "quant/block.h"
#include "quant/grids.h"

namespace nt {

struct IQ4_XS {
  static constexpr int kValues = 256;
  static constexpr int kSub = 32;
  static constexpr bool kHasMin = false;
  static constexpr int kBias = 128;

  struct Block {
    f16 d;
    uint8_t scales_h[2];  // u16: bits 2j and 2j + 1 are the upper bits of s of sub-block j
    uint8_t scales_l[4];  // nibbles: the lower four bits
    uint8_t qs[128];      // bytes 16j…16j+15: low nibbles values 0–15 of sub-block j, high nibbles values 16–31
  };
  static_assert(sizeof(Block) == 136);

  static NT_INLINE void unpack(const Block& b, int8_t* q, float* scale, float*) {
    const float d = to_float(b.d);
    for (int j = 0; j < 8; ++j) {
      const int s = nibble(b.scales_l, j) | (load_u16(b.scales_h) >> 2 * j & 3) << 4;
      scale[j] = d * static_cast<float>(s - 32);
      for (int l = 0; l < 16; ++l) {
        q[32 * j + l] = kIq4Values[b.qs[16 * j + l] & 15];
        q[32 * j + l + 16] = kIq4Values[b.qs[16 * j + l] >> 4];
      }
    }
  }
};

}  // namespace nt
