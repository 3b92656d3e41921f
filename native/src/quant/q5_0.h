// Q5_0: 32 values, 5-bit q.  w = d·(q − 16)
#pragma once

#include "quant/block.h"

namespace nt {

struct Q5_0 {
  static constexpr int kValues = 32;
  static constexpr int kSub = 32;
  static constexpr bool kHasMin = false;
  static constexpr int kBias = 16;

  struct Block {
    f16 d;
    uint8_t qh[4];   // u32: bit j is the fifth bit of value j
    uint8_t qs[16];  // low nibbles values 0–15, high nibbles values 16–31
  };
  static_assert(sizeof(Block) == 22);

  static NT_INLINE void unpack(const Block& b, int8_t* q, float* scale, float*) {
    scale[0] = to_float(b.d);
    const uint32_t qh = load_u32(b.qh);
    for (int l = 0; l < 16; ++l) {
      q[l] = static_cast<int8_t>((b.qs[l] & 15) + static_cast<int>(qh >> l & 1) * 16 - 16);
      q[l + 16] = static_cast<int8_t>((b.qs[l] >> 4) + static_cast<int>(qh >> (l + 16) & 1) * 16 - 16);
    }
  }
};

}  // namespace nt
