// Decodes blocks for the oracle, scripts/oracle/test_quant.py:
//   quant_check FORMAT < blocks > floats     FORMAT is GGUF's number; both streams are raw and little-endian
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <vector>

#include "quant/formats.h"

int main(int argc, char** argv) {
  const nt::FormatInfo* format = argc == 2 ? nt::find_format(std::atoi(argv[1])) : nullptr;
  if (format == nullptr) {
    std::fprintf(stderr, "quant_check FORMAT < blocks > floats: FORMAT is a tensor type number that Nautil knows\n");
    return 2;
  }
  const auto bytes = static_cast<size_t>(format->bytes), values = static_cast<size_t>(format->values);
  // One block at a time, in an allocation of exactly its size, so that a sanitizer sees a read past its end; an odd
  // address, so that it sees an aligned read.
  const std::unique_ptr<uint8_t[]> memory(new uint8_t[bytes + 1]);
  uint8_t* block = memory.get() + 1;
  std::vector<float> out(values);
  while (std::fread(block, bytes, 1, stdin) == 1) {
    nt::decode(static_cast<nt::Format>(std::atoi(argv[1])), block, values, out.data());
    if (std::fwrite(out.data(), sizeof(float), values, stdout) != values) return 1;
  }
  return std::ferror(stdin) ? 1 : 0;
}
