#include <memory>
#include <random>

#include <gtest/gtest.h>

#include "io/background_digest.h"

namespace {

using io::Algorithm;
using io::BackgroundDigest;

std::string random_bytes(std::size_t size, unsigned seed) {
  std::mt19937 random(seed);
  std::string bytes(size, '\0');
  for (auto& byte : bytes) {
    byte = static_cast<char>(random());
  }
  return bytes;
}

TEST(BackgroundDigest, IsThatOfTheBytesHoweverTheyCome) {
  const auto bytes = random_bytes(9U << 20U, 1);
  const auto expected = io::digest_hex(Algorithm::sha256, bytes);
  for (const std::size_t piece : {std::size_t{4099}, std::size_t{1} << 18U, bytes.size()}) {
    BackgroundDigest digest(Algorithm::sha256);
    const std::string_view all(bytes);
    for (std::size_t at = 0; at < all.size(); at += piece) {
      digest.update(all.substr(at, piece));
    }
    EXPECT_EQ(digest.hex(), expected) << piece;
  }
}

TEST(BackgroundDigest, OfLittleAndOfNothing) {
  BackgroundDigest nothing(Algorithm::sha512);
  EXPECT_EQ(nothing.hex(), io::digest_hex(Algorithm::sha512, ""));
  BackgroundDigest little(Algorithm::md5);
  little.update("abc");
  EXPECT_EQ(little.hex(), io::digest_hex(Algorithm::md5, "abc"));
}

TEST(BackgroundDigest, MayBeLeftWithBytesWaiting) {
  const auto bytes = random_bytes(1U << 20U, 2);
  for (int i = 0; i < 20; ++i) {
    const auto digest = std::make_unique<BackgroundDigest>(Algorithm::sha256);
    digest->update(bytes);
    digest->update(bytes);
    digest->update(bytes);
  }
}

}  // namespace
