// IQ4_NL: 32 values, 4-bit indices into a table of 16.  w = d·table[q]
#pragma once

#include "quant/block.h"
#include "quant/grids.h"

namespace nt {

struct IQ4_NL {
  static constexpr int kValues = 32;
  static constexpr int kSub = 32;
  static constexpr bool kHasMin = false;
  static constexpr int kBias = 128;

  struct Block {
    f16 d;
    uint8_t qs[16];  // low nibbles values 0–15, high nibbles values 16–31
  };
  static_assert(sizeof(Block) == 18);

  static NT_INLINE void unpack(const Block& b, int8_t* q, float* scale, float*) {
    scale[0] = to_float(b.d);
    for (int l = 0; l < 16; ++l) {
      q[l] = kIq4Values[b.qs[l] & 15];
      q[l + 16] = kIq4Values[b.qs[l] >> 4];
    }
  }
};

}  // namespace nt
