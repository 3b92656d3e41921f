// The keys and values of some tokens of a sequence, as nt_seq_save writes them for nt_seq_load: untrusted bytes.
//
//   0  "NTKVBLK1"       the last character is the format's version
//   8  int32 kv_type, n_layer, n_head_kv, head_dim, page_tokens
//  28  int32 first      position of the first token, a multiple of page_tokens
//  32  int32 n          tokens
//  36  int32            zero
//  40  pages            ⌈n / page_tokens⌉, as backend.h has them in the host's memory; later tokens of the last are
//  zero
//
// Numbers are little-endian.
#pragma once

#include <cstddef>
#include <cstdint>

namespace nt {

// How a cache keeps keys and values.
struct KvLayout {
  int32_t kv_type, n_layer, n_head_kv, head_dim;
  size_t page_bytes;
};

struct KvBlock {
  int32_t first, n;      // tokens
  const uint8_t* pages;  // those of n tokens
};

constexpr int32_t kMaxBlockTokens = 1 << 30;

// n: 1 to kMaxBlockTokens.
size_t kv_block_bytes(const KvLayout& layout, int32_t n);

// Writes what precedes the pages; returns where they go.
uint8_t* write_kv_block_header(const KvLayout& layout, int32_t first, int32_t n, uint8_t* out);

// Throws Error(NT_FORMAT) with the offset, unless the bytes are a block of this layout and nothing else.
KvBlock read_kv_block(const KvLayout& layout, const uint8_t* data, size_t bytes);

}  // namespace nt
