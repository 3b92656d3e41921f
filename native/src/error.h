// The one exception type of the core. api.cpp turns it into an nt_error.
#pragma once

#include <cstdarg>
#include <cstdint>
#include <exception>
#include <string>

#include "nautil.h"

namespace nt {

class Error : public std::exception {
 public:
  Error(nt_status why, std::string text, int64_t at = -1, int32_t file = 0)
      : status(why), message(std::move(text)), offset(at), part(file) {}

  const char* what() const noexcept override { return message.c_str(); }

  nt_status status;
  std::string message;
  int64_t offset;  // bytes from the start of file number `part`, or -1
  int32_t part;
  // Tokens, for NT_CONTEXT_FULL. For NT_INCOMPLETE, `wanted` is bytes from the start of the file.
  int64_t used = 0, wanted = 0, capacity = 0;
};

// printf into a std::string.
#if defined(__GNUC__)
__attribute__((format(printf, 1, 2)))
#endif
std::string
format(const char* fmt, ...);

}  // namespace nt
