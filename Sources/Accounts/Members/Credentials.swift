import Core
import Web

/// Rules for what people choose when they make an account. (OWASP ASVS 5.0 §6.2: length counts, composition does not.)
enum CredentialRules {
    static let minimumLength = 8

    /// Passwords that everybody tries first.
    private static let common: Set<String> = [
        "password", "password1", "password12", "password123", "passw0rd", "p@ssw0rd", "12345678", "123456789",
        "1234567890",
        "qwertyui", "qwertyuiop", "qwerty123", "11111111", "00000000", "abcd1234", "abc12345", "iloveyou", "sunshine",
        "football", "baseball", "superman", "princess", "welcome1", "letmein1", "admin123", "administrator",
        "marketing",
        "changeme", "trustno1", "1q2w3e4r", "1qaz2wsx", "qwer1234", "asdfghjk", "zaq12wsx", "starwars", "whatever",
    ]

    static func check(_ password: String, field: String = "password", email: String, _ errors: inout ValidationErrors) {
        if password.count < minimumLength {
            errors.add(field, "Use at least \(minimumLength) characters. A few words in a row are easy to remember.")
        } else if password.utf8.count > 1024 {
            errors.add(field, "Use at most 1,024 characters.")
        } else if common.contains(password.lowercased()) {
            errors.add(field, "This is one of the passwords that are tried first. Choose another.")
        } else if password.lowercased() == email.lowercased() {
            errors.add(field, "Do not use your e-mail address as the password.")
        }
    }

    static func checkName(_ name: String, _ errors: inout ValidationErrors) {
        if name.isEmpty { errors.add("name", "Tell us your name.") }
        if name.count > 100 { errors.add("name", "Use at most 100 characters.") }
        if !name.isOneLine { errors.add("name", "Write your name in one line.") }
    }

    static func checkEmail(_ text: String, _ errors: inout ValidationErrors) -> EmailAddress? {
        do {
            return try EmailAddress(parsing: text)
        } catch {
            errors.add("email", error.message)
            return nil
        }
    }
}
