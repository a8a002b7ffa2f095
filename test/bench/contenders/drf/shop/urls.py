from django.urls import path
from rest_framework_simplejwt.views import TokenObtainPairView, TokenRefreshView, TokenVerifyView

from .views import ProductList, healthz

urlpatterns = [
    path("healthz", healthz),
    path("products/", ProductList.as_view()),
    path("login/", TokenObtainPairView.as_view()),
    path("refresh_token/", TokenRefreshView.as_view()),
    path("verify_token/", TokenVerifyView.as_view()),
]
