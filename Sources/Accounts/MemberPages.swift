import Core
import FoundationEssentials
import Templates
import Web

struct MemberRow: ViewRecord {
    let member: Member
    let isYou: Bool
    let canChange: Bool
    let mayGrantOwnership: Bool

    static let fields = Fields<MemberRow> { f in
        f.text("id") { "\($0.member.user)" }
        f.text("name") { $0.member.name }
        f.text("email") { $0.member.email }
        f.text("initials") { Chrome.initials(of: $0.member.name) }
        f.text("role") { $0.member.role.title }
        f.list("roles", of: SelectOption.self) { row in
            let roles =
                row.mayGrantOwnership || row.member.role == .owner ? [.owner] + Role.assignable : Role.assignable
            return roles.map { SelectOption(value: $0.rawValue, label: $0.title, selected: $0 == row.member.role) }
        }
        f.flag("isYou") { $0.isYou }
        f.flag("canChange") { $0.canChange }
        f.date("joined") { $0.member.joinedAt }
        f.optionalDate("lastSeen") { $0.member.lastSeenAt }
    }
}

struct InvitationRow: ViewRecord {
    let invitation: Invitation

    static let fields = Fields<InvitationRow> { f in
        f.text("id") { "\($0.invitation.id)" }
        f.text("email") { $0.invitation.email }
        f.text("role") { $0.invitation.role.title }
        f.text("inviterName") { $0.invitation.inviterName }
        f.date("expires") { $0.invitation.expiresAt }
    }
}

struct MembersPage: ViewPage {
    let members: [MemberRow]
    let invitations: [InvitationRow]
    var email = FormField("email")
    var chosenRole: Role = .editor
    let canManage: Bool
    var errors = ValidationErrors()

    static let view = "accounts/members"
    static let fields = Fields<MembersPage> { f in
        f.list("members", of: MemberRow.self) { $0.members }
        f.list("invitations", of: InvitationRow.self) { $0.invitations }
        f.record("email", of: FormField.self) { $0.email }
        f.list("roles", of: SelectOption.self) { page in
            Role.assignable.map { SelectOption(value: $0.rawValue, label: $0.title, selected: $0 == page.chosenRole) }
        }
        f.flag("canManage") { $0.canManage }
        f.list("errors", of: ErrorSummaryItem.self) { ErrorSummaryItem.items($0.errors) }
    }
    static var previews: [MembersPage] { [MembersPage(members: [], invitations: [], canManage: true)] }
}

/// Asks once before somebody is removed.
struct MemberRemovalPage: ViewPage {
    let id: String
    let name: String
    let email: String
    let isYou: Bool

    static let view = "accounts/remove-member"
    static let fields = Fields<MemberRemovalPage> { f in
        f.text("id") { $0.id }
        f.text("name") { $0.name }
        f.text("email") { $0.email }
        f.flag("isYou") { $0.isYou }
    }
    static var previews: [MemberRemovalPage] {
        [MemberRemovalPage(id: "1", name: "Ana Ruiz", email: "ana@example.com", isYou: false)]
    }
}
