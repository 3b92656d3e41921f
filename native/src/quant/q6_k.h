// Q6_K: 16 sub-blocks of 16 values; 6-bit q, 8-bit scale a sub-block.  w = d·s·(q − 32)
#pragma once

#include "quant/block.h"

namespace nt {

struct Q6_K {
  static constexpr int kValues = 256;
  static constexpr int kSub = 16;
  static constexpr bool kHasMin = false;
  static constexpr int kBias = 32;

  struct Block {
    uint8_t ql[128];  // value 128h + 32j + l: byte 64h + 32(j%2) + l, low nibble for j < 2, else high
    uint8_t qh[64];   // value 128h + 32j + l: byte 32h + l, bits 2j and 2j + 1 are the upper bits of q
    int8_t scales[16];
    f16 d;
  };
  static_assert(sizeof(Block) == 210);

  static NT_INLINE void unpack(const Block& b, int8_t* q, float* scale, float*) {
    const float d = to_float(b.d);
    for (int i = 0; i < 16; ++i) scale[i] = d * static_cast<float>(b.scales[i]);
    for (int i = 0; i < 8; ++i) {
      const int h = i / 4, j = i % 4;
      const uint8_t* ql = b.ql + 64 * h + 32 * (j % 2);
      const uint8_t* qh = b.qh + 32 * h;
      for (int l = 0; l < 32; ++l) {
        const int low = ql[l] >> 4 * (j / 2) & 15, high = qh[l] >> 2 * j & 3;
        q[32 * i + l] = static_cast<int8_t>((low | high << 4) - 32);
      }
    }
  }
};

}  // namespace nt
