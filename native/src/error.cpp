#include "error.h"

#include <cstdio>

namespace nt {

std::string format(const char* fmt, ...) {
  char text[1024];
  va_list args;
  va_start(args, fmt);
  const int n = std::vsnprintf(text, sizeof text, fmt, args);
  va_end(args);
  return std::string(text, n < 0 ? 0 : n < static_cast<int>(sizeof text) ? n : sizeof text - 1);
}

}  // namespace nt
