/// Where a record or a decision came from, in words for what is kept as a code.
enum SourceWords {
    /// What is no code is somebody's own text and stays as it is.
    static func of(_ source: String) -> String {
        switch source {
        case "import": "An import"
        case "api": "The API"
        case "form": "A form"
        case "sync", "service": "A connected system"
        case "event": "An event"
        case "manual", "member": "By hand"
        case "report": "A report from a mail server"
        case "unsubscribe_link": "The unsubscribe page"
        case "one_click": "The mail program’s unsubscribe button"
        case "resubscribe": "The page behind the unsubscribe link"
        case "complaint": "A complaint to the mail provider"
        case "time": "Its time ran out"
        default: source
        }
    }
}
