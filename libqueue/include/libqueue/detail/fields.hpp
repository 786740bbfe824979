#pragma once

#include <cstddef>
#include <tuple>
#include <type_traits>
#include <utility>

// How many fields an aggregate has, and references to them. C++20 has no reflection, but an
// aggregate can be asked how many initialisers it takes, and structured bindings name that many
// fields. The bindings have to be spelt out for each number, so this file is one line of thought
// and a long table.

namespace libqueue::detail {

inline constexpr std::size_t most_fields = 32;

#if defined(__clang__)
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wundefined-internal"
#endif
// Converts to whatever a field is. Never called, so never defined.
class any_field {
   public:
    template <typename T>
    operator T() const;  // NOLINT(google-explicit-constructor): being implicit is its purpose
};
#if defined(__clang__)
#pragma clang diagnostic pop
#endif

template <typename T, std::size_t... I>
consteval bool takes_fields(std::index_sequence<I...>) {
    return requires {
        T{(static_cast<void>(I), any_field{})...};
    };
}

template <typename T, std::size_t N = most_fields + 1>
consteval std::size_t count_fields() {
    if constexpr (takes_fields<T>(std::make_index_sequence<N>{})) {
        return N;
    } else if constexpr (N == 0) {
        return 0;
    } else {
        return count_fields<T, N - 1>();
    }
}

template <typename T>
inline constexpr std::size_t field_count = count_fields<std::remove_const_t<T>>();

template <std::size_t N>
using number = std::integral_constant<std::size_t, N>;

// clang-format off
template <typename T>
constexpr auto tie_fields(T&, number<0>) noexcept { return std::tuple<>{}; }
template <typename T>
constexpr auto tie_fields(T& value, number<1>) noexcept {
    auto& [a] = value;
    return std::tie(a);
}
template <typename T>
constexpr auto tie_fields(T& value, number<2>) noexcept {
    auto& [a,b] = value;
    return std::tie(a,b);
}
template <typename T>
constexpr auto tie_fields(T& value, number<3>) noexcept {
    auto& [a,b,c] = value;
    return std::tie(a,b,c);
}
template <typename T>
constexpr auto tie_fields(T& value, number<4>) noexcept {
    auto& [a,b,c,d] = value;
    return std::tie(a,b,c,d);
}
template <typename T>
constexpr auto tie_fields(T& value, number<5>) noexcept {
    auto& [a,b,c,d,e] = value;
    return std::tie(a,b,c,d,e);
}
template <typename T>
constexpr auto tie_fields(T& value, number<6>) noexcept {
    auto& [a,b,c,d,e,f] = value;
    return std::tie(a,b,c,d,e,f);
}
template <typename T>
constexpr auto tie_fields(T& value, number<7>) noexcept {
    auto& [a,b,c,d,e,f,g] = value;
    return std::tie(a,b,c,d,e,f,g);
}
template <typename T>
constexpr auto tie_fields(T& value, number<8>) noexcept {
    auto& [a,b,c,d,e,f,g,h] = value;
    return std::tie(a,b,c,d,e,f,g,h);
}
template <typename T>
constexpr auto tie_fields(T& value, number<9>) noexcept {
    auto& [a,b,c,d,e,f,g,h,i] = value;
    return std::tie(a,b,c,d,e,f,g,h,i);
}
template <typename T>
constexpr auto tie_fields(T& value, number<10>) noexcept {
    auto& [a,b,c,d,e,f,g,h,i,j] = value;
    return std::tie(a,b,c,d,e,f,g,h,i,j);
}
template <typename T>
constexpr auto tie_fields(T& value, number<11>) noexcept {
    auto& [a,b,c,d,e,f,g,h,i,j,k] = value;
    return std::tie(a,b,c,d,e,f,g,h,i,j,k);
}
template <typename T>
constexpr auto tie_fields(T& value, number<12>) noexcept {
    auto& [a,b,c,d,e,f,g,h,i,j,k,l] = value;
    return std::tie(a,b,c,d,e,f,g,h,i,j,k,l);
}
template <typename T>
constexpr auto tie_fields(T& value, number<13>) noexcept {
    auto& [a,b,c,d,e,f,g,h,i,j,k,l,m] = value;
    return std::tie(a,b,c,d,e,f,g,h,i,j,k,l,m);
}
template <typename T>
constexpr auto tie_fields(T& value, number<14>) noexcept {
    auto& [a,b,c,d,e,f,g,h,i,j,k,l,m,n] = value;
    return std::tie(a,b,c,d,e,f,g,h,i,j,k,l,m,n);
}
template <typename T>
constexpr auto tie_fields(T& value, number<15>) noexcept {
    auto& [a,b,c,d,e,f,g,h,i,j,k,l,m,n,o] = value;
    return std::tie(a,b,c,d,e,f,g,h,i,j,k,l,m,n,o);
}
template <typename T>
constexpr auto tie_fields(T& value, number<16>) noexcept {
    auto& [a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p] = value;
    return std::tie(a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p);
}
template <typename T>
constexpr auto tie_fields(T& value, number<17>) noexcept {
    auto& [a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q] = value;
    return std::tie(a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q);
}
template <typename T>
constexpr auto tie_fields(T& value, number<18>) noexcept {
    auto& [a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q,r] = value;
    return std::tie(a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q,r);
}
template <typename T>
constexpr auto tie_fields(T& value, number<19>) noexcept {
    auto& [a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q,r,s] = value;
    return std::tie(a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q,r,s);
}
template <typename T>
constexpr auto tie_fields(T& value, number<20>) noexcept {
    auto& [a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q,r,s,t] = value;
    return std::tie(a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q,r,s,t);
}
template <typename T>
constexpr auto tie_fields(T& value, number<21>) noexcept {
    auto& [a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q,r,s,t,u] = value;
    return std::tie(a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q,r,s,t,u);
}
template <typename T>
constexpr auto tie_fields(T& value, number<22>) noexcept {
    auto& [a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q,r,s,t,u,v] = value;
    return std::tie(a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q,r,s,t,u,v);
}
template <typename T>
constexpr auto tie_fields(T& value, number<23>) noexcept {
    auto& [a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q,r,s,t,u,v,w] = value;
    return std::tie(a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q,r,s,t,u,v,w);
}
template <typename T>
constexpr auto tie_fields(T& value, number<24>) noexcept {
    auto& [a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q,r,s,t,u,v,w,x] = value;
    return std::tie(a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q,r,s,t,u,v,w,x);
}
template <typename T>
constexpr auto tie_fields(T& value, number<25>) noexcept {
    auto& [a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q,r,s,t,u,v,w,x,y] = value;
    return std::tie(a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q,r,s,t,u,v,w,x,y);
}
template <typename T>
constexpr auto tie_fields(T& value, number<26>) noexcept {
    auto& [a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q,r,s,t,u,v,w,x,y,z] = value;
    return std::tie(a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q,r,s,t,u,v,w,x,y,z);
}
template <typename T>
constexpr auto tie_fields(T& value, number<27>) noexcept {
    auto& [a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q,r,s,t,u,v,w,x,y,z,A] = value;
    return std::tie(a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q,r,s,t,u,v,w,x,y,z,A);
}
template <typename T>
constexpr auto tie_fields(T& value, number<28>) noexcept {
    auto& [a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q,r,s,t,u,v,w,x,y,z,A,B] = value;
    return std::tie(a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q,r,s,t,u,v,w,x,y,z,A,B);
}
template <typename T>
constexpr auto tie_fields(T& value, number<29>) noexcept {
    auto& [a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q,r,s,t,u,v,w,x,y,z,A,B,C] = value;
    return std::tie(a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q,r,s,t,u,v,w,x,y,z,A,B,C);
}
template <typename T>
constexpr auto tie_fields(T& value, number<30>) noexcept {
    auto& [a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q,r,s,t,u,v,w,x,y,z,A,B,C,D] = value;
    return std::tie(a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q,r,s,t,u,v,w,x,y,z,A,B,C,D);
}
template <typename T>
constexpr auto tie_fields(T& value, number<31>) noexcept {
    auto& [a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q,r,s,t,u,v,w,x,y,z,A,B,C,D,E] = value;
    return std::tie(a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q,r,s,t,u,v,w,x,y,z,A,B,C,D,E);
}
template <typename T>
constexpr auto tie_fields(T& value, number<32>) noexcept {
    auto& [a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q,r,s,t,u,v,w,x,y,z,A,B,C,D,E,F] = value;
    return std::tie(a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q,r,s,t,u,v,w,x,y,z,A,B,C,D,E,F);
}
// clang-format on

/// References to the fields of `value`, in order of declaration.
template <typename T>
constexpr auto fields_of(T& value) noexcept {
    static_assert(field_count<T> <= most_fields,
                  "a job type has at most 32 fields: group some, or specialise libqueue::codec");
    return tie_fields(value, number<field_count<T>>{});
}

}  // namespace libqueue::detail
