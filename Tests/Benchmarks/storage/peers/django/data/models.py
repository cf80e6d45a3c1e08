from django.db import models


class Author(models.Model):
    name = models.TextField()

    class Meta:
        db_table = "author"
        managed = False


class Book(models.Model):
    title = models.TextField()
    authors = models.ManyToManyField(Author, through="BookAuthor")

    class Meta:
        db_table = "book"
        managed = False


class BookAuthor(models.Model):
    book = models.ForeignKey(Book, on_delete=models.CASCADE)
    author = models.ForeignKey(Author, on_delete=models.CASCADE)

    class Meta:
        db_table = "book_author"
        managed = False


class Reader(models.Model):
    name = models.TextField()

    class Meta:
        db_table = "reader"
        managed = False
