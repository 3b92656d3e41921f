// Q2_K: 16 sub-blocks of 16 values; 2-bit q, 4-bit scale and min a sub-block.  w = d·s·q − dmin·m
#pragma once

#include "quant/block.h"

namespace nt {

struct Q2_K {
  static constexpr int kValues = 256;
  static constexpr int kSub = 16;
  static constexpr bool kHasMin = true;
  static constexpr int kBias = 0;

  struct Block {
    uint8_t scales[16];  // low nibble s, high nibble m
    uint8_t qs[64];      // value 128h + 32j + l: byte 32h + l, bits 2j and 2j + 1
    f16 d, dmin;
  };
  static_assert(sizeof(Block) == 84);

  static NT_INLINE void unpack(const Block& b, int8_t* q, float* scale, float* min) {
    const float d = to_float(b.d), dmin = to_float(b.dmin);
    for (int i = 0; i < 16; ++i) {
      scale[i] = d * static_cast<float>(b.scales[i] & 15);
      min[i] = dmin * static_cast<float>(b.scales[i] >> 4);
    }
    for (int j = 0; j < 8; ++j) {
      const uint8_t* qs = b.qs + 32 * (j / 4);
      for (int l = 0; l < 32; ++l) q[32 * j + l] = static_cast<int8_t>(qs[l] >> 2 * (j % 4) & 3);
    }
  }
};

}  // namespace nt
