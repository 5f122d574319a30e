/// Names of fields as people read them, for those that have no label of their own.
package enum FieldWords {
    /// `first_open` and `firstOpen` → `First open`.
    package static func spelled(_ name: Substring) -> String {
        var words: String = ""
        for character in name {
            if character == "_" || character == "-" || character == "." {
                words.append(" ")
            } else if character.isUppercase, words.last?.isLowercase == true {
                words += " " + character.lowercased()
            } else {
                words.append(character)
            }
        }
        return words.prefix(1).uppercased() + words.dropFirst()
    }
}
