"""The signs of an incomplete response or an error: kind, place, names, and what each rests on.

A false alarm freezes a table, so each line names APIs or a standard that use it. A name that other
objects have too, such as `next` or `count`, counts only where a list is described.
"""

from __future__ import annotations

# Where a sign counts: in any object beside the list; in objects that describe the list, as the
# envelope does; in the envelope and its `meta`; in headers, by exact name with or without `X-`.
ANY, LIST, TOP, HEADER = range(4)

# Kind, place, names (of members without punctuation), and what the line rests on.
SIGNS: tuple[tuple[str, int, str, str], ...] = (
    ("next", LIST, "next", "JSON:API 1.1 and HAL links, Django REST framework, HubSpot"),
    ("next", ANY, "nextpage nextpageurl nextpageuri nextoffset", "Zendesk, Laravel, Twilio, Bing"),
    ("next", ANY, "nexturl nexthref nextrecordsurl", "Instagram, SoundCloud, Salesforce"),
    ("next", ANY, "nextlink odatanextlink nextpagenumber", "Azure, OData 4.01, Abnormal Security"),
    ("next", ANY, "nextcursor nextpagetoken nexttoken", "Slack, Google AIP-158, AWS"),
    ("next", ANY, "continuationtoken nextcontinuationtoken nextmarker", "Azure DevOps, Amazon S3"),
    ("next", HEADER, "next-page next-cursor next-range", "GitLab, ServiceM8, Heroku"),
    ("next", HEADER, "ms-continuation ms-continuationtoken", "Azure Cosmos DB, Azure DevOps"),
    ("link", LIST, "link links", "PayPal, Laravel"),
    ("link", HEADER, "link", "RFC 8288"),
    ("more", ANY, "hasmore hasnext hasnextpage", "Stripe, Condens, GraphQL Cursor Connections"),
    ("more", ANY, "hasmoreitems hasmorepages", "Alfresco, Laravel Lighthouse"),
    ("more", ANY, "hasmoreresults hasmoredata", "Azure Billing, ParaStor"),
    ("more", ANY, "moreitems moreitemsincollection morerecords", "Wavefront, Pipedrive, Zoho CRM"),
    ("more", ANY, "morepages moredata", "legislation.gov.uk, DataStax Data API"),
    ("more", ANY, "istruncated truncated incompleteresults", "Amazon S3, GitHub trees and search"),
    ("more", HEADER, "has-more", "ClawHub"),
    ("true", LIST, "more moreresult moreresults", "PagerDuty, iFixit"),
    ("last", LIST, "last", "Spring Data"),
    ("last", ANY, "islast lastpage islastpage", "Jira, Spring Data 1, Bitbucket Server"),
    ("last", ANY, "endofstream", "Zendesk"),
    ("pages", LIST, "pages", "The Guardian, PageHelper"),
    ("pages", ANY, "numberofpages totalpages pagecount", "DataCamp's events, Spring Data, Strapi"),
    ("pages", ANY, "numpages nbpages lastpage", "Django, Algolia, Laravel"),
    ("pages", HEADER, "total-pages wp-totalpages pagination-page-count", "GitLab, WordPress, Yii"),
    ("cursor", LIST, "cursor", "Cloudflare, Unkey"),
    ("cursor", ANY, "aftercursor endcursor", "Zendesk, GraphQL Cursor Connections"),
    ("total", LIST, "total totalcount totalitems", "Jira, GitHub search, Alfresco"),
    ("total", LIST, "totalelements totalresults totalrecords", "Spring Data, NVD, Zoom"),
    ("total", LIST, "totalsize totalrows recordstotal", "Salesforce, CouchDB, DataTables"),
    ("total", LIST, "numfound nbhits", "Apache Solr, Algolia"),
    ("total", HEADER, "total total-count", "GitLab, Procore, OCPI"),
    ("total", HEADER, "wp-total pagination-total-count", "WordPress, Yii"),
    ("count", LIST, "count", "Django REST framework; beside a total, LinkedIn's page size"),
    ("range", HEADER, "content-range", "RFC 9110, 14.4"),
    ("limit", LIST, "limit size pagesize perpage", "Pipedrive, Spring Data, Strapi, Laravel"),
    ("limit", LIST, "itemsperpage resultsperpage maxresults", "RFC 7644, NVD, Jira"),
    ("limit", HEADER, "per-page limit", "GitLab, OCPI"),
    ("offset", LIST, "offset skip from start", "Wavefront, Contentful, Laravel, LinkedIn"),
    ("offset", LIST, "startat startindex", "Jira, RFC 7644"),
    ("page", LIST, "page currentpage pagenumber", "Strapi, Laravel, Abnormal Security"),
    ("page", LIST, "pageindex number", "ASP.NET Core, Spring Data"),
    ("error", TOP, "error errors", "Slack, GraphQL, JSON:API 1.1"),
    ("failed", TOP, "success ok", "Cloudflare, Slack"),
    ("status", TOP, "status statuscode", "JSend, NestJS"),
)
# The objects that describe a list, within each other too.
DESCRIBING = (
    "meta metadata pagination paging page pages pageinfo pageable pager paginator paginatorinfo "
    "info links cursors responsemetadata resultinfo listinfo result response"
)
