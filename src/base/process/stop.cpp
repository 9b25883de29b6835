#include "base/process/stop.h"

#include <csignal>
#include <ctime>

#include <pthread.h>

#include "base/error.h"

namespace base {

StopSignals::StopSignals() {
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);
  sigset_t set{};
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGHUP);
  sigaddset(&set, SIGUSR1);  // our own wake-up, from the destructor
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  waiter_ = std::thread([this, set] {
    while (!closing_) {
      int number = 0;
      if (sigwait(&set, &number) == 0 && number != SIGUSR1) {
        signal_ = number;
        source_.request_stop();
      }
    }
  });
}

StopSignals::~StopSignals() {
  closing_ = true;
  pthread_kill(waiter_.native_handle(), SIGUSR1);
  waiter_.join();
}

void check_stop(const std::stop_token& token) {
  if (token.stop_requested()) {
    throw Stopped();
  }
}

}  // namespace base
