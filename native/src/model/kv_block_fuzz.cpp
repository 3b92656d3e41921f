// The fuzz target of saved keys and values: whatever the bytes, reading gives a block whose pages lie inside them, or
// an Error (NT_FORMAT) that points into them. See gguf_fuzz.cpp for how to run it.
#include <cstdlib>

#include "error.h"
#include "model/kv_block.h"

namespace {

// Of pages that are smaller than any cache's, so that a fuzzer comes to several.
constexpr nt::KvLayout kLayout{NT_CACHE_F16, 2, 2, 64, 16};

void require(bool condition) {
  if (!condition) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  try {
    const nt::KvBlock block = nt::read_kv_block(kLayout, data, size);
    require(block.first >= 0 && block.n >= 1 && nt::kv_block_bytes(kLayout, block.n) == size);
    require(block.pages >= data && block.pages < data + size);
    unsigned sum = 0;
    for (const uint8_t* p = block.pages; p < data + size; ++p) sum += *p;
    static_cast<void>(*const_cast<const volatile unsigned*>(&sum));
  } catch (const nt::Error& e) {
    require(e.status == NT_FORMAT && e.offset >= 0 && e.offset <= static_cast<int64_t>(size) && !e.message.empty());
  }
  return 0;
}
