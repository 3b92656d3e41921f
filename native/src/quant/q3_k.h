// Q3_K: 16 sub-blocks of 16 values; 3-bit q, 6-bit scale a sub-block.  w = d·(s − 32)·(q − 4)
#pragma once

#include "quant/block.h"

namespace nt {

struct Q3_K {
  static constexpr int kValues = 256;
  static constexpr int kSub = 16;
  static constexpr bool kHasMin = false;
  static constexpr int kBias = 4;

  struct Block {
    uint8_t hmask[32];   // value 32j + l: bit j of byte l is the third bit of q
    uint8_t qs[64];      // value 128h + 32j + l: byte 32h + l, bits 2j and 2j + 1
    uint8_t scales[12];  // bytes 0–7: low nibbles of s0–s15, bytes 8–11: their upper two bits
    f16 d;
  };
  static_assert(sizeof(Block) == 110);

  static NT_INLINE void unpack(const Block& b, int8_t* q, float* scale, float*) {
    const float d = to_float(b.d);
    for (int i = 0; i < 16; ++i) {
      const int low = b.scales[i % 8] >> 4 * (i / 8) & 15, high = b.scales[8 + i % 4] >> 2 * (i / 4) & 3;
      scale[i] = d * static_cast<float>((low | high << 4) - 32);
    }
    for (int j = 0; j < 8; ++j) {
      const uint8_t* qs = b.qs + 32 * (j / 4);
      for (int l = 0; l < 32; ++l) {
        const int low = qs[l] >> 2 * (j % 4) & 3, high = b.hmask[l] >> j & 1;
        q[32 * j + l] = static_cast<int8_t>((low | high << 2) - 4);
      }
    }
  }
};

}  // namespace nt
