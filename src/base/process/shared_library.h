#pragma once

namespace base {

/// A library that is loaded when its first function is asked for, not when the program starts: some
/// bring dozens of others, which most commands never use. Never closed.
class SharedLibrary {
 public:
  /// `name` is its soname; both texts have to last. Throws Error(failed) "PURPOSE needs NAME:
  /// reason".
  SharedLibrary(const char* name, const char* purpose);

  /// Error(failed) where it has none of that name: it is another version.
  void* symbol(const char* function) const;

 private:
  const char* name_;
  void* handle_;
};

/// The address of a function, of the type of whatever is initialised with it.
class Symbol {
 public:
  Symbol(const SharedLibrary& library, const char* function) : address_(library.symbol(function)) {}

  template <typename Function>
  operator Function*() const {  // NOLINT(google-explicit-constructor): each pointer has its type
    return reinterpret_cast<Function*>(address_);
  }

 private:
  void* address_;
};

}  // namespace base
