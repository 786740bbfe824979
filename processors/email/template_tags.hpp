#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace libqueue::processors::email {

/// A word of a tag: a path of names, a quoted text or a number.
class tag_word {
   public:
    tag_word(std::string text_, bool literal_) : text{std::move(text_)}, literal{literal_} {}
    std::string text;
    bool literal;  ///< quoted or a number
};

/// One tag of a template: `formatDate at "long"` is three words.
class template_tag {
   public:
    template_tag() = default;
    std::vector<tag_word> words;
    std::size_t body{0};  ///< of a section: how long it is
    bool section{false};
};

/// A template read once: mustache in which every tag is a number (`{{v0}}`, `{{#s1}}`), and what
/// the numbers stand for. kainjow's engine renders the one and asks for the other, so that helpers,
/// `else` and strictness need no change in it.
class template_source {
   public:
    /// Throws template_error.
    explicit template_source(std::string_view text);

    [[nodiscard]] const std::string& mustache() const noexcept { return out_; }
    [[nodiscard]] const template_tag& tag(std::size_t number) const { return tags_.at(number); }

   private:
    class open_section {
       public:
        open_section(std::size_t number_, std::string name_, bool inverted_, std::size_t begin_)
            : number{number_}, name{std::move(name_)}, inverted{inverted_}, begin{begin_} {}
        std::size_t number;
        std::string name;
        bool inverted;
        std::size_t begin;
    };

    void read_tag(std::string_view inside, std::size_t at, bool raw);
    void open(std::string_view inside, std::size_t at, bool inverted);
    void turn(std::size_t at);
    void close(std::string_view name, std::size_t at);
    void value(std::string_view inside, std::size_t at, bool raw);

    std::string out_;
    std::vector<template_tag> tags_;
    std::vector<open_section> open_;
};

/// What is wrong with a template, for people; never a variable's value.
class template_error {
   public:
    explicit template_error(std::string message_) : message{std::move(message_)} {}
    std::string message;
};

}  // namespace libqueue::processors::email
