#include "io/http/received_file.h"

#include <algorithm>
#include <random>

#include <fcntl.h>

#include <gtest/gtest.h>

#include "base/error.h"
#include "base/fs/temp_dir.h"

namespace {

using io::Algorithm;
using io::ReceivedFile;

std::string random_bytes(std::size_t size, unsigned seed) {
  std::mt19937 random(seed);
  std::string bytes(size, '\0');
  for (auto& byte : bytes) {
    byte = static_cast<char>(random());
  }
  return bytes;
}

class ReceivedFileTest : public testing::Test {
 protected:
  base::File make() const { return base::open_file(path_, O_RDWR | O_CREAT | O_TRUNC); }

  std::string content() const { return base::read_file(path_); }

  base::TempDir directory_{"received."};
  std::string path_ = directory_.path() + "/file";
};

void append_in(ReceivedFile& received, std::string_view bytes, std::size_t piece) {
  for (std::size_t at = 0; at < bytes.size(); at += piece) {
    received.append(bytes.substr(at, piece));
  }
}

TEST_F(ReceivedFileTest, IsWhatCameHoweverItCame) {
  const auto bytes = random_bytes(19U << 20U, 1);
  const auto expected = io::digest_hex(Algorithm::sha256, bytes);
  for (const std::size_t piece : {std::size_t{4099}, std::size_t{1} << 18U, bytes.size()}) {
    auto file = make();
    ReceivedFile received(file, Algorithm::sha256);
    append_in(received, bytes, piece);
    EXPECT_EQ(received.hex(), expected) << piece;
    EXPECT_TRUE(content() == bytes) << piece;
  }
}

TEST_F(ReceivedFileTest, OfLittleAndOfNothing) {
  auto file = make();
  ReceivedFile nothing(file, Algorithm::sha512);
  EXPECT_EQ(nothing.hex(), io::digest_hex(Algorithm::sha512, ""));
  ReceivedFile little(file, Algorithm::md5);
  little.append("abc");
  EXPECT_EQ(little.hex(), io::digest_hex(Algorithm::md5, "abc"));
  EXPECT_EQ(content(), "abc");
}

TEST_F(ReceivedFileTest, GoesOnAfterWhatIsThere) {
  const auto bytes = random_bytes(5U << 20U, 2);
  const std::string_view all(bytes);
  auto file = make();
  file.write(all.substr(0, 1000));
  ReceivedFile received(file, Algorithm::sha256);
  received.digest(all.substr(0, 1000));
  append_in(received, all.substr(1000, 3000000), 16384);
  received.flush();
  EXPECT_TRUE(content() == all.substr(0, 3001000));
  file.seek(3001000);
  append_in(received, all.substr(3001000), 16384);
  EXPECT_EQ(received.hex(), io::digest_hex(Algorithm::sha256, bytes));
  EXPECT_TRUE(content() == bytes);
}

TEST_F(ReceivedFileTest, KeepsWhatCameWhenItIsLeft) {
  const auto bytes = random_bytes(4U << 20U, 3);
  for (int i = 0; i < 20; ++i) {
    auto file = make();
    {
      ReceivedFile received(file, Algorithm::sha256);
      append_in(received, bytes, 16384);
    }
    EXPECT_TRUE(content() == bytes);
  }
}

TEST_F(ReceivedFileTest, TellsOfADiskThatIsFull) {
  auto full = base::open_file("/dev/full", O_WRONLY);
  const auto bytes = random_bytes(1U << 16U, 4);
  ReceivedFile at_once(full, Algorithm::sha256);
  EXPECT_THROW(at_once.append(bytes), base::Error);
}

TEST_F(ReceivedFileTest, TellsOfWhatItsThreadMet) {
  // The first MiB is written at once, what follows by the thread.
  auto file = make();
  file.write(std::string(3U << 20U, 'x'));
  auto read_only = base::open_file(path_, O_RDONLY);
  auto writable = base::open_file(path_, O_RDWR);
  ReceivedFile received(writable, Algorithm::sha256);
  const auto bytes = random_bytes(1U << 20U, 5);
  received.append(bytes);
  writable = std::move(read_only);  // what is written from now on fails
  EXPECT_THROW(
      {
        append_in(received, bytes, bytes.size());
        received.flush();
      },
      base::Error);
  EXPECT_THROW(received.append(bytes), base::Error);
  EXPECT_THROW(received.hex(), base::Error);
}

}  // namespace
