import Cryptography
import Postgres
import Web

/// How the trouble of the database is answered: never with its own words.
extension PostgresError: RefusingError {
    package var refusal: WebError {
        if isConnectionLost {
            return .unavailable("The database is not answering. Try again in a moment.", retryAfter: 2)
        }
        switch self {
        case .timedOut:
            return .unavailable("This took too long. Narrow what you ask for, or try again in a moment.", retryAfter: 5)
        case .poolExhausted:
            return .unavailable("The portal is very busy. Try again in a moment.", retryAfter: 1)
        default:
            return WebError(
                .internalServerError, code: "internal",
                detail: "Something went wrong on our side. It has been noted; try again in a moment.")
        }
    }
}

/// Too many sign-ins at once are asked to wait; everything else about passwords is our trouble.
extension PasswordHasher.Failure: RefusingError {
    package var refusal: WebError {
        switch self {
        case .busy: .unavailable("Too many people are signing in just now. Try again in a moment.", retryAfter: 2)
        case .failed:
            WebError(
                .internalServerError, code: "internal",
                detail: "Something went wrong on our side. It has been noted; try again in a moment.")
        }
    }
}
