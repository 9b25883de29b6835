#include "cli/import_command.h"

int main(int argc, char** argv) {
  return cli::run_program(
      argc, argv, "meph2-import",
      "Imports bootloaders, other operating systems and release notifications into a stream",
      {{"", "",
        "meph2-import bootloaders.yaml bootloaders-stream.d\n"
        "meph2-import --add root-tgz=centos9.tar.gz --os centos --release centos9 --arch amd64 "
        "\\\n  --title 'CentOS 9' custom-stream.d",
        cli::declare_import}});
}
