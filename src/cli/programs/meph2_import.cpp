#include <cstring>

#include "cli/util/commands.h"
#include "meph2/image/stage.h"

int main(int argc, char** argv) {
  if (argc == 3 && std::strcmp(argv[1], meph2::image::stage_option) == 0) {  // NOLINT
    return meph2::image::stage_main(std::atoi(argv[2]));                     // NOLINT
  }
  return cli::run_program(
      argc, argv,
      {"meph2-import",
       "Imports bootloaders, other operating systems and release notifications into a stream",
       "meph2-import bootloaders.yaml bootloaders-stream.d\n"
       "meph2-import --add root-tgz=centos9.tar.gz --os centos --release centos9 --arch amd64 "
       "\\\n  --title 'CentOS 9' custom-stream.d",
       cli::declare_import});
}
