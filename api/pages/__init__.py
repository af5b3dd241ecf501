"""The pages for people: sign-in, the review queue, a ticket, labels of the history, insights."""

from api.pages import assets, decisions, insights, labels, queue, sign_in, ticket

# The order counts: what is called like a ticket comes before the tickets.
routers = (
    assets.router,
    sign_in.open_router,
    sign_in.router,
    queue.router,
    labels.router,
    decisions.router,
    ticket.router,
    insights.router,
)
