"""Words from which titles, names and descriptions are generated."""

from __future__ import annotations


def _listed(text: str) -> tuple[str, ...]:
    """Split a list that spans several lines."""
    return tuple(" ".join(text.split()).split(", "))


TECHNOLOGIES = _listed("""
    Python, R, SQL, Power BI, Tableau, Excel, Google Sheets, Spark, Git, Shell, Snowflake,
    Databricks, dbt, Docker, Kubernetes, AWS, Azure, Scala, Julia, Airflow, Kafka, MongoDB, OpenAI,
    Alteryx
""")
SUBJECTS = {
    "skill": _listed("""
    Data Cleaning, Data Manipulation, Data Visualization, Exploratory Analysis, Hypothesis Testing,
    Regression, Supervised Learning, Unsupervised Learning, Time Series Analysis, Deep Learning,
    Natural Language Processing, Image Processing, Feature Engineering, Model Validation, Network
    Analysis, Geospatial Analysis, A/B Testing, Survey Design, Web Scraping, Unit Testing,
    Object-Oriented Programming, Database Design, Window Functions, Dashboard Design, Data
    Modeling, Streaming Pipelines, Prompt Engineering, Retrieval-Augmented Generation, Version
    Control, Anomaly Detection, Credit Risk Modeling, Portfolio Analysis, Customer Segmentation,
    Churn Prediction
"""),
    "dataset": _listed("""
    Airbnb Listings, Customer Churn, Bike Sharing Trips, Hospital Admissions, Crop Yields, Electric
    Vehicle Sales, Netflix Titles, Nobel Prize Winners, Olympic Medals, Online Ticket Sales,
    Penguin Measurements, School Test Scores, Taxi Rides, Video Game Reviews, Credit Card
    Approvals, Mobile App Usage, Air Quality Readings, International Debt, Supply Chain Orders,
    Baby Names, Motorcycle Part Sales, Student Mental Health, LEGO Sets, Crime Reports
"""),
    "role": _listed("""
    Data Analyst, Data Scientist, Data Engineer, Machine Learning Scientist, Business Analyst,
    Marketing Analyst, Quantitative Analyst, AI Engineer, Statistician, Developer, Finance
    Professional, Reporting Specialist
"""),
    "team": _listed("""
    Finance, Marketing, Supply Chain, Customer Success, People Analytics, Research, Operations,
    Sales
"""),
}
FIRST_NAMES = _listed("""
    Amara, Ben, Chloé, Daniel, Elif, Farah, Grace, Hiroshi, Ines, Jonas, Katarzyna, Liam, Mei,
    Nadia, Oluwaseun, Priya, Quentin, Rosa, Søren, Tomás, Ursula, Vikram, Wanjiru, Yasmin, Zoë
""")
LAST_NAMES = _listed("""
    Adeyemi, Almeida, Bakker, Chen, Dubois, Eriksson, Fernández, García, Haddad, Ivanova, Jensen,
    Kowalska, Lindqvist, Müller, Nakamura, O'Connor, Okafor, Patel, Rossi, Schmidt, Tanaka, Van den
    Berg, Williams, Öztürk, Žižka
""")

TOPICS = {
    "Programming": "Write code that others can read, run and change",
    "Importing & Cleaning Data": "Get data out of files and databases, and get it into shape",
    "Data Manipulation": "Filter, join, group and summarise tables of any size",
    "Data Visualization": "Find the chart that makes the point, and make it",
    "Exploratory Data Analysis": "Learn what a data set holds before you model it",
    "Probability & Statistics": "Reason about chance, samples and experiments",
    "Machine Learning": "Train, judge and improve predictive models",
    "Artificial Intelligence": "Put language models and agents to work",
    "Data Engineering": "Build pipelines that deliver data on time",
    "Data Management": None,
    "Applied Finance": "Measure risk and return with real market data",
    "Reporting": "Turn an analysis into something a colleague can act on",
    "Cloud": "Run storage and computation on somebody else's machines",
    "Data Literacy": "Read, question and talk about data with confidence",
    "Software Development": None,
}

COURSE_TITLES = _listed("""
    Introduction to {skill} in {technology}, Intermediate {skill} in {technology},
    Advanced {skill} with {technology}, {skill} in {technology},
    {skill} with {technology} for {role}s, Case Study: {dataset} in {technology},
    Practical {skill} with {technology}, {skill} Concepts
""")
CHAPTER_TITLES = _listed("""
    {skill}, {skill} on {dataset}, Getting Started with {technology}, From {dataset} to Insight
""")
PROJECT_TITLES = _listed("""
    Analyzing {dataset}, Exploring {dataset} with {technology}, {skill} on {dataset},
    What Drives {dataset}?, Predicting {dataset} in {technology}
""")
TRACK_TITLES = _listed("""
    {role} in {technology}, Associate {role} in {technology},
    {skill} Fundamentals with {technology}, {technology} Fundamentals
""")
CUSTOM_TRACK_TITLES = _listed("""
    {team} Onboarding: {technology}, {skill} for the {team} Team,
    {team} Upskilling with {technology}
""")
PRACTICE_TITLES = _listed("""
    {skill} in {technology}, {skill} with {dataset}, {technology} Daily: {skill}
""")
ASSESSMENT_TITLES = _listed("{skill} with {technology}, {technology} Programming, {skill} Theory")

OPENERS = (
    "{skill} is one of the first things an employer asks {role}s about.",
    "Every {role} meets a table like {dataset} sooner or later, and it is rarely tidy.",
    "Have you ever wondered how far you can get with {technology} and an afternoon?",
    "Data about {dataset} is easy to collect and surprisingly hard to read.",
    "Good decisions start with {skill}, long before anyone trains a model.",
    "If you already know the basics of {technology}, this is the natural next step.",
)
SENTENCES = (
    "You'll start from raw files about {dataset} and end with a result that you can defend.",
    "Along the way, you'll learn when {skill} helps, when it misleads, and how to tell.",
    "Short exercises in {technology} follow each video, so that nothing stays theory for long.",
    "You'll compare three common approaches and see why {role}s choose each of them.",
    "Particular care goes to missing values, duplicates and the other reasons results drift.",
    "You'll practise on {dataset} first, then repeat the steps on data you haven't seen before.",
    "By the time you reach the last chapter, {skill} in {technology} will feel familiar.",
    "We'll look at what goes wrong in production and which checks would have caught it.",
    "You'll write small, readable steps instead of one long query, and test each one.",
    "The final exercise asks you to present {dataset} to a reader who has two minutes.",
    "No prior experience with {skill} is needed, though some {technology} will help.",
    "You'll also see how the same idea looks to {role}s on a team of twenty.",
    "Each chapter closes with a question that the data can't answer, and what to ask instead.",
)

LICENSES = ("premium", "teams", "enterprise", "classrooms")
