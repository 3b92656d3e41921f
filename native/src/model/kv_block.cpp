#include "model/kv_block.h"

#include <cstring>

#include "error.h"
#include "model/kv_cache.h"

namespace nt {
namespace {

constexpr char kMagic[] = "NTKVBLK1";
constexpr size_t kMagicBytes = sizeof kMagic - 1;

struct Header {
  char magic[kMagicBytes];
  int32_t kv_type, n_layer, n_head_kv, head_dim, page_tokens;
  int32_t first, n, reserved;
};
static_assert(sizeof(Header) == 40);

size_t pages_for(int32_t n) { return (static_cast<size_t>(n) + KvCache::kPageTokens - 1) / KvCache::kPageTokens; }

[[noreturn]] void fail(size_t offset, const std::string& reason) {
  throw Error(NT_FORMAT, reason, static_cast<int64_t>(offset));
}

void require_equal(const char* what, int32_t saved, int32_t ours, size_t offset) {
  if (saved != ours) fail(offset, format("saved with %s %d, and this context has %d", what, saved, ours));
}

}  // namespace

size_t kv_block_bytes(const KvLayout& layout, int32_t n) { return sizeof(Header) + pages_for(n) * layout.page_bytes; }

uint8_t* write_kv_block_header(const KvLayout& layout, int32_t first, int32_t n, uint8_t* out) {
  Header h{{}, layout.kv_type, layout.n_layer, layout.n_head_kv, layout.head_dim, KvCache::kPageTokens, first, n, 0};
  std::memcpy(h.magic, kMagic, kMagicBytes);
  std::memcpy(out, &h, sizeof h);
  return out + sizeof h;
}

KvBlock read_kv_block(const KvLayout& layout, const uint8_t* data, size_t bytes) {
  Header h;
  if (bytes < sizeof h) fail(bytes, format("%zu bytes are no block of keys and values", bytes));
  std::memcpy(&h, data, sizeof h);
  if (std::memcmp(h.magic, kMagic, kMagicBytes) != 0) fail(0, "this is no block of keys and values of this version");
  require_equal("a cache of type", h.kv_type, layout.kv_type, offsetof(Header, kv_type));
  require_equal("layers", h.n_layer, layout.n_layer, offsetof(Header, n_layer));
  require_equal("KV heads", h.n_head_kv, layout.n_head_kv, offsetof(Header, n_head_kv));
  require_equal("values of a head", h.head_dim, layout.head_dim, offsetof(Header, head_dim));
  require_equal("tokens of a page", h.page_tokens, KvCache::kPageTokens, offsetof(Header, page_tokens));
  if (h.first < 0 || h.first > kMaxBlockTokens || h.first % KvCache::kPageTokens != 0) {
    fail(offsetof(Header, first), format("a block cannot begin at token %d", h.first));
  }
  if (h.n < 1 || h.n > kMaxBlockTokens) fail(offsetof(Header, n), format("a block of %d tokens", h.n));
  if (h.reserved != 0) fail(offsetof(Header, reserved), "a field that must be zero is not");
  const size_t rest = bytes - sizeof h;
  if (rest % layout.page_bytes != 0 || rest / layout.page_bytes != pages_for(h.n)) {
    fail(sizeof h, format("%zu bytes are not the pages of %d tokens", rest, h.n));
  }
  return {h.first, h.n, data + sizeof h};
}

}  // namespace nt
