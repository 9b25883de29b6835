#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace support {

/// Writes ustar archives byte by byte, for those that no tar program would write.
class TarWriter {
 public:
  TarWriter& file(std::string_view name, std::string_view content) {
    header(name, '0', content.size(), "");
    data_ += content;
    data_.append((512 - content.size() % 512) % 512, '\0');
    return *this;
  }

  TarWriter& directory(std::string_view name) { return header(name, '5', 0, ""); }

  TarWriter& symlink(std::string_view name, std::string_view target) {
    return header(name, '2', 0, target);
  }

  TarWriter& hard_link(std::string_view name, std::string_view target) {
    return header(name, '1', 0, target);
  }

  TarWriter& device(std::string_view name, char type, unsigned major, unsigned minor) {
    major_ = major;
    minor_ = minor;
    header(name, type, 0, "");
    major_ = minor_ = 0;
    return *this;
  }

  /// The archive with its end mark.
  std::string bytes() const { return data_ + std::string(1024, '\0'); }

  /// Without it, as a copy that was cut off between two entries.
  std::string cut() const { return data_; }

 private:
  TarWriter& header(std::string_view name, char type, std::size_t size, std::string_view link) {
    std::array<char, 512> block{};
    const auto put = [&block](std::size_t at, std::string_view text) {
      std::memcpy(block.data() + at, text.data(), text.size());
    };
    const auto octal = [&put](std::size_t at, std::size_t width, std::uint64_t value) {
      std::string digits(width, '0');
      for (auto digit = digits.rbegin(); digit != digits.rend(); ++digit, value /= 8) {
        *digit = static_cast<char>('0' + value % 8);
      }
      put(at, digits);
    };
    put(0, name.substr(0, 100));
    octal(100, 7, type == '5' ? 0755 : 0644);
    octal(108, 7, 0);
    octal(116, 7, 0);
    octal(124, 11, size);
    octal(136, 11, 1000000000);
    put(148, "        ");
    block[156] = type;
    put(157, link.substr(0, 100));
    put(257, std::string_view("ustar\00000", 8));
    octal(329, 7, major_);
    octal(337, 7, minor_);
    unsigned sum = 0;
    for (const char byte : block) {
      sum += static_cast<unsigned char>(byte);
    }
    octal(148, 6, sum);
    block[154] = '\0';
    data_.append(block.data(), block.size());
    return *this;
  }

  std::string data_;
  unsigned major_ = 0;
  unsigned minor_ = 0;
};

}  // namespace support
