#pragma once

namespace base {

/// The address of a function, of the type of whatever is initialised with it.
class Symbol {
 public:
  explicit Symbol(void* address) : address_(address) {}

  template <typename Function>
  operator Function*() const {  // NOLINT(google-explicit-constructor): each pointer has its type
    return reinterpret_cast<Function*>(address_);
  }

 private:
  void* address_;
};

/// A library that is loaded when its first function is asked for, not when the program starts: some
/// bring dozens of others, which most commands never use. Never closed.
class SharedLibrary {
 public:
  /// `name` is its soname; both texts have to last. Throws Error(failed) "PURPOSE needs NAME:
  /// reason".
  SharedLibrary(const char* name, const char* purpose);

  /// Error(failed) where it has none of that name: it is another version.
  Symbol symbol(const char* function) const;

 private:
  const char* name_;
  void* handle_;
};

/// A deleter that calls a function of what `library()` gives.
template <auto& library, auto function>
struct FreedBy {
  template <typename Object>
  void operator()(Object* object) const {
    (library().*function)(object);
  }
};

}  // namespace base
