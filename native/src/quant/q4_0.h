// Q4_0: 32 values, 4-bit q.  w = d·(q − 8)
#pragma once

#include "quant/block.h"

namespace nt {

struct Q4_0 {
  static constexpr int kValues = 32;
  static constexpr int kSub = 32;
  static constexpr bool kHasMin = false;
  static constexpr int kBias = 8;

  struct Block {
    f16 d;
    uint8_t qs[16];  // low nibbles values 0–15, high nibbles values 16–31
  };
  static_assert(sizeof(Block) == 18);

  static NT_INLINE void unpack(const Block& b, int8_t* q, float* scale, float*) {
    scale[0] = to_float(b.d);
    for (int l = 0; l < 16; ++l) {
      q[l] = static_cast<int8_t>((b.qs[l] & 15) - 8);
      q[l + 16] = static_cast<int8_t>((b.qs[l] >> 4) - 8);
    }
  }
};

}  // namespace nt
